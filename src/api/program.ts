import { isUtf8 } from 'node:buffer';
import type { EngineConfig } from '../config/config.ts';
import type { Policy } from '../config/policy.ts';
import { MAX_VALUE_BYTES } from '../database/database.ts';
import { whenAborted } from '../platform/abort.ts';
import type { Clock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { errorReply, metricsRoute, type HttpReply, type HttpRequest, type Route } from '../platform/http.ts';
import { HttpsClient } from '../platform/https-client.ts';
import { startHttpsServer } from '../platform/https-server.ts';
import type { Credentials } from '../platform/tls.ts';
import { QuestionLink } from '../platform/question-link.ts';
import { kvAnswerShape, type KvAnswer, type KvQuestion } from '../server/kv-link.ts';
import { writeLimitMs } from '../server/kv.ts';
import { describeError, type Log } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { HealthProbe } from './health-probe.ts';

const EXPORT_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 2_000;

export interface ApiProgram {
  readonly config: EngineConfig;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly log: Log;
}

interface Api extends ApiProgram {
  readonly client: HttpsClient;
  readonly databaseUrl: string;
  readonly link: QuestionLink<KvAnswer>;
  readonly metrics: Metrics;
}

/** Runs `coditect-dr api` (the reference service coditect-api) until the signal aborts: stateless, everything is asked of the region's own database. */
export async function runApi(program: ApiProgram, signal: AbortSignal): Promise<void> {
  const { config, credentials, clock, log } = program;
  const own = config.regions[config.region];
  if (own === undefined) throw new EngineError('bad-config', `regions.${config.region} is missing`);
  await using resources = new AsyncDisposableStack();
  const client = new HttpsClient(credentials);
  resources.defer(() => client.close());
  const databaseUrl = own.database.replace(/\/$/, '');
  const link = new QuestionLink({
    client,
    url: `${databaseUrl}/v1/kv`,
    answerShape: kvAnswerShape,
    silenceMs: writeTimeoutMs(config.policy),
    nowMs: () => clock.monotonicMs(),
  });
  resources.defer(() => link.close());
  const probe = new HealthProbe({ config, client, clock, databaseUrl });
  const metrics = new Metrics(config.region, () => probe.samples());
  const api: Api = { ...program, client, databaseUrl, link, metrics };
  const { host, port } = config.listen;
  const onError = (error: unknown, request: { readonly correlationId: string }): void =>
    log.error('request_failed', { ...request, error: describeError(error) }, request.correlationId);
  const server = await startHttpsServer({ host, port, credentials, routes: routesOf(api, probe), onError });
  log.info('started', { port: server.port });
  await whenAborted(signal);
  await server.close(STOP_GRACE_MS);
  log.info('stopped', {});
}

function routesOf(api: Api, probe: HealthProbe): readonly Route[] {
  const roles = ['client', 'operator', 'controller'] as const;
  const kv = { path: '/v1/kv/', prefix: true, roles } as const;
  const { policy } = api.config;
  const forWrite = writeTimeoutMs(policy);
  return [
    { method: 'GET', path: '/health', roles: 'anyone', handle: () => probe.reply() },
    metricsRoute('anyone', () => api.metrics.text()),
    { ...kv, method: 'PUT', bodyLimitBytes: MAX_VALUE_BYTES, handle: (request) => forward(api, request, forWrite) },
    { ...kv, method: 'DELETE', handle: (request) => forward(api, request, forWrite) },
    { ...kv, method: 'GET', handle: (request) => forward(api, request, policy.appendTimeoutMs) },
    { method: 'GET', path: '/v1/export', roles, handle: (request) => pass(api, request) },
    { method: 'GET', path: '/v1/divergent', roles, handle: (request) => pass(api, request) },
  ];
}

/** Longer than the database itself lets a write wait: its answer says whether the write was applied, our time-out cannot. */
function writeTimeoutMs(policy: Policy): number {
  return writeLimitMs(policy) + policy.probeTimeoutMs;
}

async function forward(api: Api, request: HttpRequest, timeoutMs: number): Promise<HttpReply> {
  const startMs = api.clock.monotonicMs();
  const method = request.method as KvQuestion['method'];
  // A line is text.
  if (method === 'PUT' && !isUtf8(request.body)) return errorReply(400, 'bad-request', 'the value is not UTF-8', 'no');
  const value = method === 'PUT' ? request.body.toString('utf8') : '';
  const question: KvQuestion = { method, key: request.rest, value, correlationId: request.correlationId };
  const result = await api.link.ask(question, timeoutMs);
  const seconds = (api.clock.monotonicMs() - startMs) / 1000;
  const ok = result.kind === 'answer' && (result.answer.status < 400 || result.answer.status === 404);
  api.metrics.observeRequest({ method, outcome: ok ? 'ok' : 'failed' }, seconds);
  if (result.kind === 'answer') return { status: result.answer.status, json: result.answer.json };
  // A read applies nothing; a write that was not sent neither.
  const applied = method === 'GET' || result.kind === 'not-sent' ? 'no' : 'unknown';
  return errorReply(503, 'timeout', `the region's database did not answer: ${result.reason}`, applied);
}

/** Hands on a whole stream as it comes. */
async function pass(api: Api, request: HttpRequest): Promise<HttpReply> {
  const { correlationId, path, signal } = request;
  const result = await api.client.open(`${api.databaseUrl}${path}`, { timeoutMs: EXPORT_TIMEOUT_MS, correlationId, signal });
  if (result.kind !== 'reply') return errorReply(503, 'timeout', `the region's database did not answer: ${result.reason}`);
  return { status: result.status, body: result.stream, contentType: result.status === 200 ? 'application/x-ndjson' : 'application/json' };
}
