import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError } from '../errors.ts';
import type { Credentials } from './certificates.ts';
import { PORTS, podOf, type Topology } from './topology.ts';

const POLL_MS = 50;
const REQUEST_TIMEOUT_MS = 1000;

/**
 * Resolves when the system as a whole serves: the primary's api answers a linearizable read, and every region's api says that it is not
 * failed. Throws HarnessError `lab-failed` with the last answers when the signal aborts before.
 */
export async function untilServing(topology: Topology, operator: Credentials, signal: AbortSignal): Promise<void> {
  const url = (region: string, path: string): string => `https://${podOf(topology, 'api', region).ipv4}:${PORTS.api}${path}`;
  const wanted = [
    { url: url(topology.primaryRegion, '/v1/kv/gameday-lab-ready'), ok: [200, 404] },
    ...topology.regions.map((region) => ({ url: url(region, '/health'), ok: [200] })),
  ];
  for (;;) {
    const answers = await Promise.all(wanted.map(async (want) => ({ ...want, answer: await get(want.url, operator) })));
    const missing = answers.filter(({ ok, answer }) => !ok.includes(answer.status));
    if (missing.length === 0) return;
    try {
      await sleep(POLL_MS, undefined, { signal });
    } catch (cause) {
      const words = missing.map(({ url: asked, answer }) => `GET ${asked}: ${answer.status} ${answer.text}`);
      throw new HarnessError('lab-failed', `the engine does not serve: ${words.join('; ')}`, cause);
    }
  }
}

/** Status 0: no answer; the text says why. Never rejects. */
export function get(url: string, { caPem, certPem, keyPem }: Credentials): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ status: 0, text: error.message });
    const asked = request(
      url,
      { ca: caPem, cert: certPem, key: keyPem, agent: false, timeout: REQUEST_TIMEOUT_MS, minVersion: 'TLSv1.3' },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text = (text + part).slice(0, 500)));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text })).on('error', failed);
      },
    );
    asked.on('error', failed).on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.end();
  });
}
