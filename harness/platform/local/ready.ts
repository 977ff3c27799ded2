import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode, encode } from 'dns-packet';
import { PORTS } from './topology.ts';
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
function answers(host: string, name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const timer = setTimeout(() => done(false), PROBE_TIMEOUT_MS);
    function done(is: boolean): void {
      clearTimeout(timer);
      socket.close();
      resolve(is);
    }
    socket.once('error', () => done(false));
    socket.once('message', (message) => {
      const answer = decode(message) as { readonly rcode?: string };
      done(answer.rcode === 'NOERROR');
    });
    const question = encode({ type: 'query', id: 1, flags: 1 << 8, questions: [{ type: 'SOA', name, class: 'IN' }] });
    socket.send(question, PORTS.dns, host);
  });
}
