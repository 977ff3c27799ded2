import { Resolver } from 'node:dns/promises';
import type { PodSpec } from './topology.ts';

const TIMEOUT_MS = 1000;
const TRIES = 2;

/** Every address that the lab's own DNS gives for a name, both families; empty when it does not resolve. */
export async function resolveInLab(dns: PodSpec, hostName: string, signal: AbortSignal): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  resolver.setServers([dns.ipv4]);
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  const answers = await Promise.allSettled([resolver.resolve4(hostName), resolver.resolve6(hostName)]);
  signal.removeEventListener('abort', cancel);
  signal.throwIfAborted();
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}
