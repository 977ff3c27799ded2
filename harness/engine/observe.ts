import { z } from 'zod';
import { DATABASE_ITSELF, type ReadBack } from '../history/event.ts';
import { recordedEntries } from '../measure/bulk-values.ts';
import { isEngineKey } from '../measure/registers.ts';
import type { Clock } from '../platform/clock.ts';
import { parseJson } from '../platform/json.ts';
import type { Platform, Pod, RunContext } from '../platform/platform.ts';
import { complain, whatIsWrong } from '../scenario/complain.ts';
import { databaseStatusShape, decodeExport, decodeLines, divergentFileShape, type DatabaseStatus } from './contract.ts';
import { engineRegions, engineUrl, type EngineProgram } from './endpoints.ts';
import type { Operator } from './operator.ts';

const POLL_MS = 250;
const STATUS_TIMEOUT_MS = 1000;
const EXPORT_TIMEOUT_MS = 10_000;
/** Copies of all regions may still differ by what is on the way when the load has stopped. */
const CATCH_UP_MS = 5000;
/** Async: a standby no further behind than this is caught up. */
const CAUGHT_UP_MS = 500;

export interface Observed {
  readonly operator: Operator;
  readonly platform: Pick<Platform, 'databaseProblem' | 'databaseContent'>;
  readonly pods: readonly Pod[];
  readonly context: RunContext;
  readonly clock: Clock;
}

/** Records every database's status four times a second, each controller's once, until the signal. What they say is recorded, not used. */
export async function watchEngine(observed: Observed, signal: AbortSignal): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    const asked = observed.clock.sleep(POLL_MS, signal).catch(() => undefined);
    await askDatabases(observed);
    if (round % 4 === 0) await askAll(observed, 'dr-controller', z.unknown());
    await asked;
  }
}

/** Status by region; regions that did not answer are missing. Records each answer. */
export async function askDatabases(observed: Observed): Promise<ReadonlyMap<string, DatabaseStatus>> {
  return await askAll(observed, 'db', databaseStatusShape);
}

async function askAll<T>(observed: Observed, program: EngineProgram, shape: z.ZodType<T>): Promise<ReadonlyMap<string, T>> {
  const { operator, pods, context } = observed;
  const answers = await Promise.all(
    engineRegions(pods).map(async (region) => {
      const answer = await operator.get(engineUrl(pods, program, region, '/v1/status'), STATUS_TIMEOUT_MS);
      const decoded = answer.status === 200 ? shape.safeParse(parseJson(answer.body), { error: complain }) : undefined;
      if (decoded?.success !== true) {
        const error =
          decoded === undefined
            ? `status ${answer.status}: ${answer.body.slice(0, 200)}`
            : `not of the contract: ${whatIsWrong(decoded.error)}`;
        context.record({ kind: 'engine-status', region, program, ok: false, error });
        return [];
      }
      context.record({ kind: 'engine-status', region, program, ok: true, body: decoded.data });
      return [[region, decoded.data] as const];
    }),
  );
  return new Map(answers.flat());
}

/** Every region answers, one rules, and it says that all others are in its sync set, or caught up where replication is async. */
export function redundancyProblem(statuses: ReadonlyMap<string, DatabaseStatus>, regions: readonly string[]): string | null {
  const silent = regions.filter((region) => !statuses.has(region));
  if (silent.length > 0)
    return `no status of the contract from the database of ${silent.join(', ')} (engine-status in the record says why)`;
  const primaries = [...statuses].filter(([, status]) => status.role === 'primary' && status.writable);
  const [primary] = primaries;
  if (primary === undefined || primaries.length > 1) return `${primaries.length} regions say that they are a writable primary`;
  const [ruler, { standbys, syncSet, mode }] = primary;
  const behind = regions.filter((region) => {
    const standby = standbys[region];
    if (region === ruler) return false;
    if (standby === undefined || statuses.get(region)?.role !== 'standby') return true;
    return mode === 'sync'
      ? !syncSet.includes(region) || !standby.inSync
      : standby.lagMs > CAUGHT_UP_MS || standby.ageMs > 2 * CAUGHT_UP_MS;
  });
  return behind.length === 0 ? null : `${behind.join(', ')} not caught up with ${ruler}`;
}

/** Waits for t10, at most so long; records it, or what was missing. */
export async function awaitRedundancy(observed: Observed, atMostMs: number, signal: AbortSignal): Promise<void> {
  const { clock, context, pods, platform } = observed;
  const regions = engineRegions(pods);
  const limitMs = clock.nowMs() + atMostMs;
  for (;;) {
    const statuses = await askDatabases(observed);
    const claimed = redundancyProblem(statuses, regions);
    const serving = [...statuses].find(([, { role, writable }]) => role === 'primary' && writable)?.[0];
    // The engine only repeats what such a database says of its copies: it is asked itself.
    const problem = claimed ?? (await platform.databaseProblem?.(signal, serving)) ?? null;
    const late = clock.nowMs() >= limitMs;
    if (problem === null && !late) return context.record({ kind: 'redundancy-restored' });
    if (late)
      return context.record({ kind: 'note', message: `redundancy not restored: ${problem ?? 'it was, but only after the time was up'}` });
    await clock.sleep(100, signal);
  }
}

/** Every region's own committed copy, when all have what was committed at the end of the load (or time is up), and the divergent tails. */
export async function readBack(observed: Observed, signal: AbortSignal): Promise<void> {
  const { operator, pods, context, clock } = observed;
  const limitMs = clock.nowMs() + CATCH_UP_MS;
  let goal = 0;
  for (;;) {
    const statuses = [...(await askDatabases(observed)).values()];
    // The engine's own canary writes go on, so the copies never stand still: fixed at the first look.
    if (goal === 0) goal = Math.max(...statuses.map((status) => status.commitIndex), 0);
    const behind = statuses.filter((status) => status.appliedIndex < goal);
    if ((statuses.length === engineRegions(pods).length && behind.length === 0) || clock.nowMs() >= limitMs) break;
    await clock.sleep(50, signal);
  }
  for (const copy of await readCopies(observed, limitMs, signal)) context.record(copy);
  for (const region of engineRegions(pods)) {
    const tails = await operator.get(engineUrl(pods, 'api', region, '/v1/divergent'), EXPORT_TIMEOUT_MS);
    recordTails(context, region, tails.status, tails.body);
  }
}

/**
 * All regions' copies, again until they are equal or time is up: a write whose client gave up may still be under way when the first copy is
 * read and be done when the last one is.
 */
async function readCopies(observed: Observed, limitMs: number, signal: AbortSignal): Promise<readonly ReadBack[]> {
  const { operator, pods, clock } = observed;
  for (;;) {
    const regions = engineRegions(pods).map(async (region): Promise<ReadBack> => {
      const { status, body } = await operator.get(engineUrl(pods, 'api', region, '/v1/export'), EXPORT_TIMEOUT_MS);
      return { kind: 'readback', region, ...decodeCopy(status, body) };
    });
    const [past, ...served] = await Promise.all([readPastEngine(observed, signal), ...regions]);
    const copies = past === null ? served : [...served, past];
    const [first, ...others] = copies;
    const equal = others.every((copy) => copy.ok && sameData(first?.entries ?? {}, copy.entries ?? {}));
    if (equal || clock.nowMs() >= limitMs) return copies;
    await clock.sleep(100, signal);
  }
}

/** What the database itself says that it holds: what the engine tells of it is not believed where somebody else can be asked. Null: nobody else can. */
async function readPastEngine({ platform }: Observed, signal: AbortSignal): Promise<ReadBack | null> {
  try {
    const content = (await platform.databaseContent?.(signal)) ?? null;
    return content === null ? null : { kind: 'readback', region: DATABASE_ITSELF, ok: true, ...recorded(content) };
  } catch (error) {
    return { kind: 'readback', region: DATABASE_ITSELF, ok: false, error: (error as Error).message.slice(0, 500) };
  }
}

const recorded = (entries: ReadonlyMap<string, string>): Pick<ReadBack, 'entries' | 'bytes'> => ({
  entries: recordedEntries(entries),
  bytes: bytesOf(entries),
});

function sameData(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => isEngineKey(key) || one[key] === other[key]);
}

function bytesOf(entries: ReadonlyMap<string, string>): number {
  return [...entries].reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
}

/** Of a region, or of a restored copy. */
export function decodeCopy(status: number, body: string): Omit<ReadBack, 'kind' | 'region'> {
  if (status !== 200) return { ok: false, error: `status ${status}: ${body.slice(0, 200)}` };
  try {
    const { head, entries } = decodeExport(body);
    return { ok: true, role: head.role, epoch: head.epoch, ...recorded(entries) };
  } catch (error) {
    return { ok: false, error: `not understood: ${(error as Error).message}` };
  }
}

function recordTails(context: RunContext, region: string, status: number, body: string): void {
  const failed = (why: string): void => context.record({ kind: 'note', message: `divergent tails of ${region} not read: ${why}` });
  if (status !== 200) return failed(`status ${status}`);
  try {
    for (const { file, entries } of decodeLines(body, divergentFileShape)) {
      const known = entries.map(({ value, ...entry }) => (value === undefined ? entry : { ...entry, value }));
      context.record({ kind: 'divergent-tail', region, file, entries: known });
    }
  } catch (error) {
    failed((error as Error).message);
  }
}
