import { isUtf8 } from 'node:buffer';
import type { Database } from 'foundationdb';
import type { FoundationdbConfig } from '../config/foundationdb-config.ts';
import type { EngineConfig } from '../config/config.ts';
import { keyProblem, MAX_VALUE_BYTES } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import { errorReply, jsonReply, metricsRoute, type HttpReply, type HttpRequest, type Route } from '../platform/http.ts';
import { othersOf } from '../server/claim.ts';
import { exportLines } from '../server/export-lines.ts';
import { decode, malformed } from '../server/decode.ts';
import {
  fenceRequestShape,
  promoteRequestShape,
  sealRequestShape,
  type DatabaseStatus,
  type FenceResponse,
  type PromoteResponse,
  type SealResponse,
} from '../server/control-messages.ts';
import { writeLimitMs } from '../server/kv.ts';
import type { UpstreamStatus } from '../server/status.ts';
import type { ClusterMonitor } from './cluster-monitor.ts';
import { readAll, readKey, writeKey, type Fenced } from './data.ts';
import type { Fenced as FencedHere, Refused } from './answers.ts';
import type { Gateway } from './gateway.ts';
import type { KeySpace } from './key-space.ts';
import { lockText, type Asker } from './lock-told.ts';
import type { Look } from './look.ts';
import { betterRegion, replicaStatus } from './standbys.ts';
import { homeStandbys, type PairHome } from './pair-home.ts';
import type { PairWatch } from './pair-watch.ts';
import type { Outcome } from './transaction.ts';

const EXPORT_TIMEOUT_MS = 60_000;

export interface RouteOptions {
  readonly gateway: Gateway;
  readonly monitor: ClusterMonitor;
  /** To whom a lock is told. */
  readonly asker: Asker;
  readonly db: Database;
  readonly keys: KeySpace;
  readonly config: EngineConfig;
  readonly foundationdb: FoundationdbConfig;
  readonly statusPeriodMs: number;
  readonly clock: Clock;
  readonly metrics: () => Promise<string>;
  /** Where its cluster is one of a pair, and how far the copy is; null, or left out: all regions share it. */
  readonly pair?: { readonly home: PairHome; readonly watch: PairWatch } | null;
}

/** The contract of a region's database (ARCHITECTURE §3), kept on FoundationDB. */
export function gatewayRoutes(options: RouteOptions): readonly Route[] {
  const roles = ['api', 'database', 'controller', 'operator'] as const;
  const kv = { path: '/v1/kv/', prefix: true, roles } as const;
  const post = (path: string, handle: Route['handle']): Route => ({ method: 'POST', path, roles: ['controller'], handle });
  return [
    { ...kv, method: 'PUT', bodyLimitBytes: MAX_VALUE_BYTES, handle: (request) => put(options, request) },
    { ...kv, method: 'DELETE', handle: (request) => write(options, request.rest, null) },
    { ...kv, method: 'GET', handle: (request) => read(options, request) },
    post('/v1/fence', (request) => fence(options, request)),
    post('/v1/seal', (request) => seal(options, request)),
    post('/v1/promote', (request) => promote(options, request)),
    { method: 'GET', path: '/health', roles: 'anyone', handle: () => health(options) },
    metricsRoute('anyone', options.metrics),
    { method: 'GET', path: '/v1/status', roles, handle: () => status(options) },
    { method: 'GET', path: '/v1/export', roles, handle: () => exportData(options) },
    // Nothing diverges in one database; of a pair what an abort has left behind is in that cluster, until it is erased.
    { method: 'GET', path: '/v1/divergent', roles, handle: () => ({ status: 200, body: '', contentType: 'application/x-ndjson' }) },
  ];
}

function put(options: RouteOptions, request: HttpRequest): Promise<HttpReply> | HttpReply {
  if (!isUtf8(request.body)) return errorReply(400, 'bad-request', 'the value is not UTF-8', 'no');
  return write(options, request.rest, request.body.toString('utf8'));
}

async function write(options: RouteOptions, key: string, value: string | null): Promise<HttpReply> {
  const { gateway, config, db, keys } = options;
  const problem = keyProblem(key);
  if (problem !== null) return errorReply(400, 'bad-request', problem, 'no');
  const { lease } = gateway;
  if (lease === null || !gateway.writable) return notPrimary(gateway);
  const { epoch } = lease;
  const outcome = await writeKey({ db, keys }, { epoch, region: config.region }, key, value, writeLimitMs(config.policy));
  if (outcome.kind === 'unknown') return errorReply(503, 'timeout', outcome.message, 'unknown');
  if (outcome.kind === 'not-done') return notDone(outcome);
  if (outcome.value.kind === 'fenced') return passed(outcome.value.epoch);
  // Committed before any fence. But a process that stood still may tell so late that another region serves: it is not to be told as of now.
  if (!lease.isValid()) return errorReply(503, 'lease-lost', 'the lease ran out before the write was acknowledged', 'unknown');
  return jsonReply({ region: config.region, epoch, index: outcome.version });
}

async function read(options: RouteOptions, request: HttpRequest): Promise<HttpReply> {
  const { gateway, config, db, keys } = options;
  const problem = keyProblem(request.rest);
  if (problem !== null) return errorReply(400, 'bad-request', problem);
  const { lease } = gateway;
  if (lease === null || !gateway.writable) return notPrimary(gateway);
  const { epoch } = lease;
  const { region } = config;
  const outcome = await readKey({ db, keys }, { epoch, region }, request.rest, config.policy.appendTimeoutMs);
  if (outcome.kind !== 'done') return outcome.kind === 'not-done' ? notDone(outcome) : errorReply(503, 'timeout', outcome.message);
  if (outcome.value.kind === 'fenced') return passed(outcome.value.epoch);
  if (!lease.isValid()) return notPrimary(gateway);
  const { value } = outcome.value;
  if (value !== null) return jsonReply({ value, region, epoch });
  return { status: 404, json: { region, epoch, error: { code: 'not-found', message: 'no such key' } } };
}

function notDone({ reason, message }: Extract<Outcome<Fenced<unknown>>, { kind: 'not-done' }>): HttpReply {
  if (reason === 'locked') return errorReply(503, 'database-locked', message, 'no');
  return reason === 'refused' ? errorReply(400, 'bad-request', message, 'no') : errorReply(503, 'database-unavailable', message, 'no');
}

function notPrimary(gateway: Gateway): HttpReply {
  const what = gateway.role === 'primary' ? 'primary, but not serving yet or fenced' : gateway.role;
  return errorReply(503, 'not-primary', `this region's database is ${what}`, 'no');
}

function passed(epoch: number): HttpReply {
  return errorReply(503, 'not-primary', `epoch ${epoch} is in force in the database`, 'no');
}

async function fence({ gateway, config, pair = null }: RouteOptions, request: HttpRequest): Promise<HttpReply> {
  const asked = decode(fenceRequestShape, request);
  if (asked === null) return malformed();
  const result = await gateway.fence(asked.epoch);
  if (result.kind !== 'fenced') return refused(result);
  return jsonReply({ region: config.region, epoch: asked.epoch, ...endOf(result, pair?.home ?? null) } satisfies FenceResponse);
}

async function seal({ gateway, config, pair = null }: RouteOptions, request: HttpRequest): Promise<HttpReply> {
  const asked = decode(sealRequestShape, request);
  if (asked === null) return malformed();
  const result = await gateway.fence(asked.epoch);
  if (result.kind !== 'fenced') return refused(result);
  // Nobody promises anything here: the fence is in the database. A copy gets what the primary commits, which is none of a lower epoch as soon as that one is fenced or its lease is over; until then more is only better.
  const sealedEpoch = Math.max(result.fence.epoch, asked.epoch);
  return jsonReply({ region: config.region, sealedEpoch, ...endOf(result, pair?.home ?? null), promisedMs: 0 } satisfies SealResponse);
}

/** The same for whoever asks: one database, which has everything that was acknowledged under the epoch that served last. Not so a copy that was ended: its versions are its own, and compare with nobody's. */
export function endOf(
  { fence: now, isCopy = false }: Omit<Extract<FencedHere, { kind: 'fenced' }>, 'kind'>,
  home: Home,
): { lastIndex: number; lastEpoch: number } {
  return { lastIndex: isEndedCopy(now, isCopy, home) ? 0 : now.version, lastEpoch: now.servedEpoch };
}

/** As a region that does not serve tells it before anything is sealed: one that has the primary's own database stands before every copy, by whose lag a failover would else be judged. */
export function standbyEnd(look: Look, home: Home): { lastIndex: number; lastEpoch: number } {
  const end = endOf(look, home);
  return home === null || look.isCopy || end.lastIndex === 0 ? end : { ...end, lastIndex: look.version };
}

type Home = Pick<PairHome, 'homes' | 'members'> | null;

/** The primary that served last was in the other cluster, and what it commits does not come here any more. */
function isEndedCopy({ servedBy }: Look['fence'], isCopy: boolean, home: Home): boolean {
  return home !== null && !isCopy && servedBy !== '' && home.homes[servedBy] !== home.members.own.name;
}

async function promote({ gateway, config }: RouteOptions, request: HttpRequest): Promise<HttpReply> {
  const asked = decode(promoteRequestShape, request);
  if (asked === null) return malformed();
  const result = await gateway.promote(asked, request.signal);
  if (result.kind !== 'promoted') return refused(result);
  const { writable, fence: now } = result;
  return jsonReply({ region: config.region, epoch: asked.epoch, writable, lastIndex: now.version } satisfies PromoteResponse);
}

function refused({ kind, message }: Refused): HttpReply {
  if (kind === 'moving') return errorReply(503, 'pair-moves', message, 'no');
  if (kind === 'lacks') return errorReply(503, 'pair-lacks', message, 'no');
  return kind === 'epoch-passed'
    ? errorReply(409, 'epoch-passed', message, 'no')
    : errorReply(503, 'database-unavailable', message, 'unknown');
}

function health({ gateway, config, clock }: RouteOptions): HttpReply {
  const { role, epoch } = gateway;
  const ok = role !== 'starting' && (role !== 'primary' || gateway.writable);
  return jsonReply({ region: config.region, status: ok ? 'Healthy' : 'Degraded', role, epoch, timestamp: clock.wall().toISOString() });
}

/**
 * Asked of the database itself, now: while FoundationDB recovers there is no status, so that no controller takes this region for one that could be promoted, and a failover waits for
 * FoundationDB without knowing of it.
 */
async function status(options: RouteOptions): Promise<HttpReply> {
  const { gateway, config, monitor, asker, foundationdb, clock, statusPeriodMs } = options;
  const look = await gateway.look(config.policy.probeTimeoutMs);
  if (look === null) {
    const { lock } = monitor.seen;
    // How it is ended is for those who may ask for this: clients hear that it is locked.
    if (lock !== null) return errorReply(503, 'database-locked', lockText(lock, asker));
    return errorReply(503, 'database-unavailable', 'FoundationDB does not answer: it may be recovering, or be locked');
  }
  const { fence: now, version } = look;
  const { pair = null } = options;
  const { role, lease, epoch, writable, incarnation } = gateway;
  const remainingMs = lease?.remainingMs() ?? 0;
  const isPrimary = role === 'primary';
  const replicas = {
    seen: monitor.seen,
    dataCenters: foundationdb.data_centers,
    region: config.region,
    nowMs: clock.monotonicMs(),
    periodMs: statusPeriodMs,
  };
  const others = othersOf(config);
  return jsonReply({
    region: config.region,
    incarnation,
    role,
    epoch,
    sealedEpoch: now.epoch,
    writable,
    lease: remainingMs > 0 ? { remainingMs: Math.round(remainingMs) } : null,
    ...(isPrimary ? endOf : standbyEnd)(look, pair?.home ?? null),
    commitIndex: version,
    appliedIndex: version,
    mode: gateway.mode,
    syncSet: isPrimary && pair === null ? [...others] : [],
    w: others.length,
    standbys: isPrimary ? (pair === null ? replicaStatus(replicas) : standbysOfPair(pair, options)) : {},
    better: isPrimary && pair === null ? betterRegion(replicas) : null,
    upstream: isPrimary ? null : upstreamOf(look, gateway, pair?.home ?? null),
  } satisfies DatabaseStatus & { upstream: UpstreamStatus | null });
}

/** In one database a standby has what the primary has. A copy does not know how far it is, whoever serves does: it says that it lacks something, so that nobody takes it for complete. */
export function upstreamOf({ fence: now, isCopy }: Look, { silentMs }: Pick<Gateway, 'silentMs'>, home: Home): UpstreamStatus | null {
  if (now.servedBy === '') return null;
  if (isEndedCopy(now, isCopy, home)) return null;
  const served = { region: now.servedBy, epoch: now.servedEpoch };
  return isCopy ? { ...served, lagEntries: 1, ageMs: silentMs } : { ...served, lagEntries: 0, ageMs: 0 };
}

function standbysOfPair({ home, watch }: NonNullable<RouteOptions['pair']>, { config, clock }: RouteOptions): DatabaseStatus['standbys'] {
  return homeStandbys(home, watch, { region: config.region, rpoMs: config.rpo_seconds * 1000, nowMs: clock.monotonicMs() });
}

async function exportData({ gateway, config, db, keys, pair = null }: RouteOptions): Promise<HttpReply> {
  const { role, epoch } = gateway;
  const { version, rows } = await readAll({ db, keys }, EXPORT_TIMEOUT_MS, { pastLock: pair !== null });
  return { status: 200, body: exportLines({ region: config.region, epoch, role, appliedIndex: version }, rows) };
}
