import { Arbiter } from './arbiter.ts';
import { BadConfig, type Config } from './config.ts';
import { Database } from './database.ts';
import { health, metrics } from './health.ts';
import { failure, serve, type Answer, type Client, type Role, type Route } from './https.ts';
import type { Log } from './log.ts';
import { Replica, type AppendRequest } from './replica.ts';
import type { Sentences } from './sentences.ts';

const ANYONE: readonly Role[] = ['database', 'controller', 'api', 'operator'];
const KEY = '/v1/kv/';

/** The `database` program; resolves when the signal has aborted and everything is closed. */
export async function runDatabase(config: Config, client: Client, say: Log, sentences: Sentences, signal: AbortSignal): Promise<void> {
  if (!config.data) throw new BadConfig('the database program needs data.path');
  const replica = await Replica.open(config.data.path, say, sentences);
  const database = new Database({ config, client, arbiter: new Arbiter(config, client), replica, say, sentences });
  const server = await serve(config, routes(config, database, replica));
  say('started', { lastIndex: replica.log.lastIndex });
  await database.run(signal);
  server.closeAllConnections();
  server.close();
}

function routes(config: Config, database: Database, replica: Replica): readonly Route[] {
  const json = (body: Buffer): Record<string, unknown> => JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  const get = (path: string, answer: (rest: string) => Answer): Route => ({ method: 'GET', path, roles: ANYONE, answer });
  const post = (path: string, role: Role, answer: (body: Record<string, unknown>) => Promise<Answer>): Route => ({
    method: 'POST',
    path,
    roles: [role],
    answer: (_rest, body) => answer(json(body)),
  });
  const append = async (body: unknown, replace: boolean): Promise<Answer> => ({
    status: 200,
    body: await database.append(body as AppendRequest, replace),
  });
  return [
    get('/health', () => state(config, database)),
    get('/metrics', () => ({ status: 200, type: 'text/plain; version=0.0.4', body: gauges(config, database, replica) })),
    get('/v1/status', () => ({ status: 200, body: database.status() })),
    get('/v1/export', () => ({ status: 200, type: 'application/x-ndjson', body: exported(config, database, replica) })),
    get('/v1/divergent', () => ({ status: 200, type: 'application/x-ndjson', body: lines(replica.divergent()) })),
    get(KEY, (key) => database.read(decodeURIComponent(key))),
    ...(['PUT', 'DELETE'] as const).map((method): Route => ({
      method,
      path: KEY,
      roles: ANYONE,
      maxBytes: 64 * 1024,
      answer: (key, body) => {
        const value = decodeUtf8(body);
        if (value === null) return failure(400, 'bad-request', 'the value is not UTF-8', 'no');
        return database.write({
          op: method === 'PUT' ? 'put' : 'delete',
          key: decodeURIComponent(key),
          value: method === 'PUT' ? value : '',
        });
      },
    })),
    post('/v1/append', 'database', (body) => append(body, false)),
    post('/v1/snapshot', 'database', (body) => append(body, true)),
    post('/v1/seal', 'controller', (body) => database.seal(Number(body['epoch']))),
    post('/v1/fence', 'controller', (body) => database.fence(Number(body['epoch']), body['drain'] === true)),
    post('/v1/promote', 'controller', (body) => database.promote(Number(body['epoch']))),
  ];
}

function state(config: Config, database: Database): Answer {
  const serving = database.role === 'primary' ? database.writable : database.silentMs < 2000;
  const grade = serving ? 'Healthy' : database.role === 'primary' ? 'Failed' : 'Degraded';
  const standbys = Object.values(database.status()['standbys'] as Record<string, { ageMs: number }>);
  const silent = standbys.filter((s) => s.ageMs > config.policy.syncDropAfterMs).length;
  const checks = [
    { name: 'database', status: grade, latencyMs: 0 },
    { name: 'replication', status: silent > 0 ? 'Degraded' : 'Healthy', latencyMs: 0, detail: `${silent} silent` },
  ] as const;
  const body = health(config.region, checks, database.role, database.epoch);
  return { status: body.status === 'Failed' ? 503 : 200, body };
}

function gauges(config: Config, database: Database, replica: Replica): string {
  return metrics(config.region, {
    epoch: database.epoch,
    writable: database.writable ? 1 : 0,
    last_index: replica.log.lastIndex,
    commit_index: replica.commitIndex,
  });
}

function exported(config: Config, database: Database, replica: Replica): string {
  const head = { region: config.region, epoch: database.epoch, role: database.role, appliedIndex: replica.appliedIndex };
  const entries = [...replica.map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => ({ key, value }));
  return lines([head, ...entries]);
}

function lines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

function decodeUtf8(body: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return null;
  }
}
