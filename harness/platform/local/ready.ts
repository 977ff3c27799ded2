import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readiness } from './services.ts';

const PROBE_PERIOD_MS = 25;
const PROBE_TIMEOUT_MS = 300;

/**
 * Resolves when the program at this address serves, as the kubelet would see it: from the node, over the pod's own network. Asks every 25 ms
 * until then; rejects with the signal's reason.
 */
export async function untilReady(address: string, readiness: Readiness, signal: AbortSignal): Promise<void> {
  if (readiness.kind === 'none') return;
  for (;;) {
    signal.throwIfAborted();
    const ready = readiness.kind === 'tcp' ? await accepts(address, readiness.port) : await answers(address, readiness.name);
    if (ready) return;
    await sleep(PROBE_PERIOD_MS, undefined, { signal });
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS });
    const done = (is: boolean): void => {
      socket.destroy();
      resolve(is);
    };
    socket
      .once('connect', () => done(true))
      .once('timeout', () => done(false))
      .once('error', () => done(false));
  });
}

/** Whether a DNS server answers for this zone without error. */
async function answers(host: string, name: string): Promise<boolean> {
  const resolver = new Resolver({ timeout: PROBE_TIMEOUT_MS, tries: 1 });
  resolver.setServers([host]);
  return await resolver.resolveSoa(name).then(
    () => true,
    () => false,
  );
}
