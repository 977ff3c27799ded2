import type { Config } from './config.ts';
import { health, metrics, type Check, type Health } from './health.ts';
import { NoReply, failure, serve, type Answer, type Client, type Role, type Route } from './https.ts';
import { nowMs, type Log } from './log.ts';
import { pause } from './wait.ts';

const CALLERS: readonly Role[] = ['client', 'operator', 'controller'];
const WRITE_TIMEOUT_MS = 6000;
const READ_TIMEOUT_MS = 2000;

/** The `api` program: passes everything on to the database of its own region and says what is known when that fails. */
export async function runApi(config: Config, client: Client, say: Log, signal: AbortSignal): Promise<void> {
  const database = config.regions[config.region]?.database ?? '';
  const pass = async (method: string, path: string, body: Buffer | undefined): Promise<Answer> => {
    try {
      const reply = await client.ask(method, database + path, body, method === 'GET' ? READ_TIMEOUT_MS : WRITE_TIMEOUT_MS);
      return {
        status: reply.status,
        body: reply.text,
        type: path.startsWith('/v1/kv') || reply.status !== 200 ? 'application/json' : 'application/x-ndjson',
      };
    } catch (error) {
      const applied = method === 'GET' || (error instanceof NoReply && !error.sent) ? 'no' : 'unknown';
      return failure(503, 'timeout', `the database does not answer: ${(error as Error).message}`, applied);
    }
  };
  const v1 = (method: string, path: string): Route => ({
    method,
    path,
    roles: CALLERS,
    maxBytes: 64 * 1024,
    answer: (rest, body) => pass(method, path + rest, method === 'PUT' ? body : undefined),
  });
  let requests = 0;
  const routes: readonly Route[] = [
    { method: 'GET', path: '/health', answer: () => state(config, client, database) },
    {
      method: 'GET',
      path: '/metrics',
      answer: () => ({ status: 200, type: 'text/plain; version=0.0.4', body: metrics(config.region, { requests }) }),
    },
    ...['GET', 'PUT', 'DELETE'].map((method) => v1(method, '/v1/kv/')),
    v1('GET', '/v1/export'),
    v1('GET', '/v1/divergent'),
  ];
  const counted = routes.map((route): Route => ({ ...route, answer: (rest, body) => (requests++, route.answer(rest, body)) }));
  const server = await serve(config, counted);
  say('started');
  while (!signal.aborted) await pause(1e6, signal);
  server.closeAllConnections();
  server.close();
}

async function state(config: Config, client: Client, database: string): Promise<Answer> {
  const startMs = nowMs();
  const own: Check = { name: 'api', status: 'Healthy', latencyMs: 0 };
  let below: Health | null = null;
  try {
    const reply = await client.ask('GET', `${database}/health`, undefined, config.policy.probeTimeoutMs);
    below = JSON.parse(reply.text) as Health;
  } catch {
    // Shown as a failed check.
  }
  const latencyMs = Math.round(nowMs() - startMs);
  const checks = below?.checks.map((c) => ({ ...c, latencyMs })) ?? [
    { name: 'database', status: 'Failed', latencyMs, detail: 'no answer' } as const,
  ];
  const body = health(config.region, [own, ...checks], below?.role ?? 'starting', below?.epoch ?? 0);
  return { status: body.status === 'Failed' ? 503 : 200, body };
}
