import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PODS_FOLDER } from '../../local/pod-view.ts';
import { podOf, PORTS, type Topology } from '../../local/topology.ts';

const AT_ONCE = 32;
const LIMIT_MS = 60_000;

/** Deletes what clients have written into the lab's system, by its API, and resolves when every region's copy is empty: as new, for the next game day. */
export async function emptySystem(topology: Topology): Promise<void> {
  const operator = path.join(PODS_FOLDER, podOf(topology, 'operator', 'outside').name, 'tls');
  const [ca, cert, key] = ['ca.crt', 'tls.crt', 'tls.key'].map((file) => readFileSync(path.join(operator, file)));
  const agent = new Agent({ keepAlive: true, ca, cert, key });
  const ask = (region: string, method: string, of: string): Promise<{ status: number; text: string }> =>
    new Promise((resolve) => {
      const url = `https://${podOf(topology, 'api', region).ipv4}:${PORTS.api}${of}`;
      const asked = request(url, { agent, method, timeout: 2000 }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      asked.on('timeout', () => asked.destroy()).on('error', () => resolve({ status: 0, text: '' }));
      asked.end();
    });
  const keysOf = async (region: string): Promise<readonly string[] | undefined> => {
    const { status, text } = await ask(region, 'GET', '/v1/export');
    const [, ...lines] = text.trim().split('\n');
    return status === 200
      ? lines.map((line) => (JSON.parse(line) as { key: string }).key).filter((one) => !one.startsWith('.'))
      : undefined;
  };
  try {
    for (const limitMs = performance.now() + LIMIT_MS; ; await sleep(100)) {
      const copies = await Promise.all(topology.regions.map(keysOf));
      if (copies.every((keys) => keys?.length === 0)) return;
      if (performance.now() > limitMs) throw new Error(`not emptied within ${LIMIT_MS} ms: ${copies.map((keys) => keys?.length).join()}`);
      const left = [...new Set(copies.flatMap((keys) => keys ?? []))];
      const remove = async (): Promise<void> => {
        for (let one = left.pop(); one !== undefined; one = left.pop())
          for (const region of topology.regions) if ((await ask(region, 'DELETE', `/v1/kv/${one}`)).status === 200) break;
      };
      await Promise.all(Array.from({ length: AT_ONCE }, remove));
    }
  } finally {
    agent.destroy();
  }
}
