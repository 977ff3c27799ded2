import { z } from 'zod';
import type { Arbiter, RecordName, Records, Held, CasResult } from '../arbiter/arbiter.ts';
import type { EngineConfig } from '../config/config.ts';
import type { DnsProvider } from '../dns/dns.ts';
import type { Clock } from '../platform/clock.ts';
import { parseJson, type HttpClient } from '../platform/https-client.ts';
import { runProgram } from '../platform/run-program.ts';
import { databaseStatusShape, fenceResponseShape, promoteResponseShape, sealResponseShape } from '../server/control-messages.ts';
import type { Effect, Event } from './state.ts';

/** Between two looks at how far the target of a planned run is. */
const CATCH_UP_LOOK_MS = 5;

export interface EffectContext {
  readonly clock: Clock;
  readonly config: EngineConfig;
  readonly arbiter: Arbiter;
  readonly dns: DnsProvider;
  readonly client: HttpClient;
  /** What a CAS said is there, so that the next decision does not wait for the watch. */
  readonly onRecord: <K extends RecordName>(record: K, held: Held<Records[K]>) => void;
}

const canaryShape = z.object({ region: z.string(), epoch: z.number() });
const errorShape = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** Carries one effect out, once, within its time limit. Null: nothing came of it yet, it may be tried again. Throws only what is broken here. */
export async function perform(effect: Effect, context: EffectContext, signal: AbortSignal): Promise<Event | null> {
  switch (effect.kind) {
    case 'save-journal':
      return saveJournal(effect, context, signal);
    case 'record-history':
      return recordHistory(effect, context, signal);
    case 'ask-veto':
      return askVeto(effect, context, signal);
    case 'lower-ttl':
      return lowerTtl(effect, context, signal);
    case 'catch-up':
      return catchUp(effect, context, signal);
    case 'acquire-lease':
      return acquireLease(effect, context, signal);
    case 'freeze-set':
      return freezeSet(effect, context, signal);
    case 'fence':
      return fence(effect, context, signal);
    case 'seal':
      return seal(effect, context, signal);
    case 'promote':
      return promote(effect, context, signal);
    case 'verify-database':
      return (await writesAndReads(databaseOf(effect.region, context), effect, context, signal)) ? { kind: 'database-verified' } : null;
    case 'route':
      return route(effect, context, signal);
    case 'verify-end-to-end':
      return verifyEndToEnd(effect, context, signal);
    default:
      throw new RangeError(`effect ${String(effect satisfies never)}`);
  }
}

type Of<K extends Effect['kind']> = Extract<Effect, { kind: K }>;

async function saveJournal(effect: Of<'save-journal'>, context: EffectContext, signal: AbortSignal): Promise<Event | null> {
  const result = await cas('failover', effect, context, signal);
  if (result.ok) return { kind: 'journal-saved', seq: effect.value.seq, revision: result.revision };
  return result.reason === 'conflict' ? { kind: 'journal-lost' } : null;
}

async function recordHistory(effect: Of<'record-history'>, context: EffectContext, signal: AbortSignal): Promise<Event | null> {
  const result = await cas('history', effect, context, signal);
  return result.ok ? { kind: 'history-recorded', runId: effect.run.runId } : null;
}

/** Whatever is not a clear yes is a veto: no answer, a program that is not there, one that was ended. */
async function askVeto({ question }: Of<'ask-veto'>, { config }: EffectContext, signal: AbortSignal): Promise<Event | null> {
  const hook = config.hooks?.before_failover;
  if (hook === undefined) return { kind: 'veto-answered', runId: question.runId, veto: null };
  const input = `${JSON.stringify(question)}\n`;
  const { code, said } = await runProgram({ ...hook, input, timeoutMs: config.policy.vetoTimeoutMs }, signal);
  return signal.aborted ? null : { kind: 'veto-answered', runId: question.runId, veto: code === 0 ? null : said };
}

/** Over when no resolver can remember the longer time any more. A provider that cannot change it leaves the pause as long as the time to live is. */
async function lowerTtl(
  { region, epoch }: Of<'lower-ttl'>,
  { config, dns, clock }: EffectContext,
  signal: AbortSignal,
): Promise<Event | null> {
  if (dns.setTtl !== undefined) {
    await dns.setTtl({ region, epoch }, 0, signal);
    await clock.sleep(config.dns.ttl_seconds * 1000, signal).catch(() => undefined);
  }
  return signal.aborted ? null : { kind: 'ttl-lowered' };
}

/** Asks again and again, quickly: writes are waiting. */
async function catchUp({ region, log }: Of<'catch-up'>, context: EffectContext, signal: AbortSignal): Promise<Event | null> {
  const { policy } = context.config;
  while (!signal.aborted) {
    const result = await context.client.call(`${databaseOf(region, context)}/v1/status`, { timeoutMs: policy.appendTimeoutMs, signal });
    const parsed = result.kind === 'reply' ? databaseStatusShape.safeParse(parseJson(result.body)) : undefined;
    const { lastEpoch, lastIndex } = parsed?.data ?? { lastEpoch: 0, lastIndex: 0 };
    if (lastEpoch === log.lastEpoch && lastIndex >= log.lastIndex) return { kind: 'caught-up', region };
    await context.clock.sleep(CATCH_UP_LOOK_MS, signal).catch(() => undefined);
  }
  return null;
}

async function acquireLease(effect: Of<'acquire-lease'>, context: EffectContext, signal: AbortSignal): Promise<Event | null> {
  const result = await cas('lease', effect, context, signal);
  if (result.ok) return { kind: 'tick' };
  return result.reason === 'conflict' ? { kind: 'lease-refused' } : null;
}

async function cas<K extends RecordName>(
  record: K,
  change: { readonly expected: number | null; readonly value: Records[K] },
  { arbiter, onRecord }: EffectContext,
  signal: AbortSignal,
): Promise<CasResult<Records[K]>> {
  const result = await arbiter.cas(record, change.expected, change.value, signal);
  if (result.ok) onRecord(record, { value: change.value, revision: result.revision });
  else if (result.reason === 'conflict' && result.current !== null) onRecord(record, result.current);
  return result;
}

async function freezeSet(effect: Of<'freeze-set'>, context: EffectContext, signal: AbortSignal): Promise<Event | null> {
  const { config, arbiter } = context;
  const snapshot = await arbiter.read(signal).catch(() => null);
  if (snapshot === null) return null;
  const held = snapshot.replication;
  // Somebody of this run froze it before; nobody else writes under this epoch before the promotion.
  if (held !== null && held.value.epoch >= effect.epoch) return { kind: 'set-frozen', replication: held.value };
  // Without a record nothing was ever acknowledged; the record that is made here is the strictest.
  const never = { mode: config.replication, set: config.standby_regions, w: 1 };
  const value = { ...(held?.value ?? never), epoch: effect.epoch };
  const result = await cas('replication', { expected: held?.revision ?? null, value }, context, signal);
  return result.ok ? { kind: 'set-frozen', replication: value } : null;
}

async function fence(effect: Of<'fence'>, context: EffectContext, signal: AbortSignal): Promise<Event | null> {
  const { region, epoch, runId } = effect;
  const reply = await post(region, 'fence', { epoch, runId }, context, signal);
  const parsed = fenceResponseShape.safeParse(reply.json);
  if (reply.status !== 200 || !parsed.success || parsed.data.region !== region) return null;
  return { kind: 'fenced', log: { region, lastEpoch: parsed.data.lastEpoch, lastIndex: parsed.data.lastIndex } };
}

async function seal(effect: Of<'seal'>, context: EffectContext, signal: AbortSignal): Promise<Event | null> {
  const { region, epoch, runId, waitMs } = effect;
  const reply = await post(region, 'seal', { epoch, runId, waitMs }, context, signal);
  const parsed = sealResponseShape.safeParse(reply.json);
  const sealed = reply.status === 200 && parsed.success && parsed.data.region === region && parsed.data.sealedEpoch >= epoch;
  if (!sealed) return signal.aborted ? null : { kind: 'seal-failed', region };
  const { lastEpoch, lastIndex, promisedMs } = parsed.data;
  return { kind: 'sealed', log: { region, lastEpoch, lastIndex, ...(promisedMs > 0 ? { promisedMs } : {}) } };
}

async function promote(effect: Of<'promote'>, context: EffectContext, signal: AbortSignal): Promise<Event | null> {
  const { region, request } = effect;
  const reply = await post(region, 'promote', request, context, signal);
  const parsed = promoteResponseShape.safeParse(reply.json);
  if (reply.status === 200 && parsed.success && parsed.data.region === region)
    return { kind: 'promoted', region, writable: parsed.data.writable };
  // Bound by a direct lease for a moment, or its cluster is being made the primary of its pair: no failure of it.
  if (reply.code === 'promised' || reply.code === 'pair-moves') return null;
  return signal.aborted ? null : { kind: 'promote-failed', region, why: reply.why, lacks: reply.code === 'pair-lacks' };
}

async function route(effect: Of<'route'>, { config, dns }: EffectContext, signal: AbortSignal): Promise<Event | null> {
  const { region, epoch } = effect;
  const result = await dns.publish({ region, epoch, addresses: config.regions[region]?.addresses ?? [] }, signal);
  return result.ok ? { kind: 'routed' } : { kind: 'route-superseded' };
}

async function verifyEndToEnd(effect: Of<'verify-end-to-end'>, context: EffectContext, signal: AbortSignal): Promise<Event | null> {
  const { config, dns } = context;
  const published = await dns.read(signal);
  if (published === null || published.region !== effect.region || published.epoch < effect.epoch) return null;
  const api = config.regions[effect.region]?.api ?? '';
  return (await writesAndReads(api, effect, context, signal)) ? { kind: 'end-to-end-verified' } : null;
}

/** A canary written and read back, both under the epoch or a later one of the same region. */
async function writesAndReads(
  base: string,
  effect: { region: string; epoch: number },
  context: EffectContext,
  signal: AbortSignal,
): Promise<boolean> {
  const url = `${base}/v1/kv/.canary/verify-${context.config.region}`;
  const value = `${effect.region} ${effect.epoch}`;
  const timeoutMs = context.config.policy.appendTimeoutMs;
  const answered = (body: unknown): boolean => {
    const parsed = canaryShape.safeParse(body);
    return parsed.success && parsed.data.region === effect.region && parsed.data.epoch >= effect.epoch;
  };
  const put = await context.client.call(url, { method: 'PUT', body: value, timeoutMs, signal });
  if (put.kind !== 'reply' || put.status !== 200 || !answered(parseJson(put.body))) return false;
  const got = await context.client.call(url, { timeoutMs, signal });
  if (got.kind !== 'reply' || got.status !== 200) return false;
  const body = parseJson(got.body) as { readonly value?: unknown } | undefined;
  return answered(body) && body?.value === value;
}

interface Reply {
  readonly status: number;
  readonly json: unknown;
  readonly code: string | null;
  readonly why: string;
}

async function post(
  region: string,
  verb: 'fence' | 'seal' | 'promote',
  body: unknown,
  context: EffectContext,
  signal: AbortSignal,
): Promise<Reply> {
  const { policy } = context.config;
  // A promotion commits its first entry before it answers; the others only touch the disk.
  const timeoutMs = verb === 'promote' ? policy.leaseMs : policy.appendTimeoutMs;
  const url = `${databaseOf(region, context)}/v1/${verb}`;
  const result = await context.client.call(url, { method: 'POST', body: JSON.stringify(body), timeoutMs, signal });
  if (result.kind !== 'reply') return { status: 0, json: undefined, code: null, why: result.reason };
  const json = parseJson(result.body);
  const error = errorShape.safeParse(json);
  return {
    status: result.status,
    json,
    code: error.success ? error.data.error.code : null,
    why: error.success ? `${error.data.error.code}: ${error.data.error.message}` : `HTTP ${result.status}`,
  };
}

function databaseOf(region: string, { config }: EffectContext): string {
  return config.regions[region]?.database ?? '';
}
