import type { BackupAccount, BackupCheck, BackupMade, Restore } from './backup-account.ts';
import { bulkAtLeast, bulkOf } from './bulk.ts';
import { compareCopy, type CopyWindow } from './copies.ts';
import type { Interval, Reigns } from './measurement.ts';
import type { BackupStep } from '../scenario/scenario.ts';
import { eventsOf, type Lined, type RunView } from './view.ts';

/** A standby's own copy may be so far behind what was acknowledged. */
const STANDBY_LAG_MS = 1000;
/** Wall time of a mark is in whole milliseconds, on the clock that the engine has as well. */
const MARK_SLACK_MS = 2;

type Order = Lined<'backup-order'>;
type RestoreStep = Extract<BackupStep, { readonly do: 'restore' }>;

export function accountBackups(view: RunView, { reigns }: Pick<Reigns, 'reigns'>): BackupAccount | null {
  if (!view.scenario.backup && eventsOf(view.events, 'bulk').length === 0) return null;
  const orders = eventsOf(view.events, 'backup-order');
  const serving = (atMs: number): string | null => reigns.findLast(({ firstAckMs }) => firstAckMs <= atMs)?.region ?? null;
  const restores = orders.filter(({ args }) => args[0] === 'restore').map((order) => restoreOf(view, orders, order, serving));
  const made = orders.filter(({ args }) => args[0] === 'create').map((order) => madeOf(order, restores));
  const checks = orders.flatMap((order) => checkOf(order, orders));
  return { made, restores, checks, recoveryPoint: recoveryPointOf(view, made, restores), bulk: bulkOf(view) };
}

function madeOf(order: Order, restores: readonly Restore[]): BackupMade {
  const id = backupIdOf(order);
  const copy = restores.find((restore) => restore.backupId === id && id !== null && restore.copy !== null && isWhole(restore.args))?.copy;
  return {
    name: order.name,
    id,
    pod: order.pod,
    givenMs: order.givenMs,
    endedMs: order.endedMs,
    exitCode: order.exitCode,
    storedBytes: order.added.reduce((sum, { bytes }) => sum + bytes, 0),
    objects: order.added.length,
    logicalBytes: copy?.bytes || null, // records of before sizes were kept have none
    line: order.lineNumber,
  };
}

const isWhole = (args: readonly string[]): boolean => !args.includes('--prefix') && !args.includes('--to-time');

function restoreOf(view: RunView, orders: readonly Order[], order: Order, serving: (atMs: number) => string | null): Restore {
  const name = order.name ?? '';
  const step = view.scenario.method.find((one) => one.do === 'restore' && one.name === name);
  const live = step?.do === 'restore' && step.live;
  const read = eventsOf(view.events, 'copy').find((event) => event.name === name && event.atMs >= order.endedMs);
  const window = step?.do === 'restore' ? windowOf(view, orders, { order, since: step.since, mayLackMs: step.mayLackMs, serving }) : null;
  const entries = read?.ok === true ? read.entries : undefined;
  const unread =
    order.exitCode !== 0 || live ? null : read === undefined ? 'nobody read the copy' : read.ok ? null : (read.error ?? 'not read');
  return {
    name,
    args: order.args,
    live,
    elapsedMs: order.endedMs - order.givenMs,
    exitCode: order.exitCode,
    copy:
      entries === undefined || window === null
        ? null
        : { ...compareCopy(view, entries, window), bulkAtLeast: bulkAtLeast(view, window), bytes: read?.bytes ?? 0 },
    bounded: window !== null && window.fromMs !== null,
    hasBeforeMs: live && isPartOrUnsaid(step) ? null : (window?.fromMs ?? null),
    unread,
    backupId: idOf(order),
    line: order.lineNumber,
    copyLine: read?.lineNumber ?? null,
  };
}

/** Where a live restore to a time says nothing of what may be missing at the end of the log, the objective of the whole does. */
const isPartOrUnsaid = ({ args, since, mayLackMs }: RestoreStep): boolean =>
  args.includes('--prefix') || (args.includes('--to-time') && since === null && mayLackMs === 0);

interface Asked {
  readonly order: Order;
  readonly since: string | null;
  readonly mayLackMs: number;
  readonly serving: (atMs: number) => string | null;
}

/** Which instants the copy may be a state of. */
function windowOf(view: RunView, orders: readonly Order[], { order, since, mayLackMs, serving }: Asked): CopyWindow {
  const { args, givenMs } = order;
  const prefix = args.includes('--prefix') ? (args[args.indexOf('--prefix') + 1] ?? '') : '';
  const marks = eventsOf(view.events, 'mark');
  // Of a repeated group each round sets the same mark.
  const sinceMs = marks.findLast((mark) => mark.name === since && mark.atMs <= givenMs)?.atMs ?? null;
  const timeMs = args.includes('--to-time') ? Date.parse(args[args.indexOf('--to-time') + 1] ?? '') : null;
  const mark = timeMs === null ? undefined : marks.find((one) => one.timeMs === timeMs);
  const source = orders.find((one) => one.args[0] === 'create' && backupIdOf(one) !== null && backupIdOf(one) === idOf(order));
  const sourceMs = source === undefined ? 0 : source.givenMs - (source.region === serving(source.givenMs) ? 0 : STANDBY_LAG_MS);
  if (mark !== undefined) {
    const allowedMs = mark.atMs - mayLackMs - MARK_SLACK_MS;
    // Where both say how much may be missing, the stricter one does; what it may lack is of the log, not of the backup before that.
    const saidMs = sinceMs === null ? allowedMs : mayLackMs === 0 ? sinceMs : Math.max(sinceMs, allowedMs);
    return { fromMs: Math.max(saidMs, sourceMs <= mark.atMs ? sourceMs : 0), toMs: mark.atMs + MARK_SLACK_MS, prefix };
  }
  if (source === undefined) return { fromMs: sinceMs, toMs: givenMs, prefix };
  // That the latest one is as new as it had to be is not for the program to tell.
  if (args[1] === 'latest' && sinceMs === null) return { fromMs: null, toMs: source.endedMs, prefix };
  // A mark asks for more than the backup itself, never for less.
  return { fromMs: Math.max(sinceMs ?? 0, sourceMs), toMs: source.endedMs, prefix };
}

/** The backup that a restore came from: as it was typed, or of `latest` as the program tells, which is held to it. */
function idOf({ args, answer }: Pick<Order, 'args' | 'answer'>): string | null {
  const [, asked = ''] = args;
  const answered = answer?.['backupId'];
  return asked !== 'latest' ? asked : typeof answered === 'string' ? answered : null;
}

/** The one manifest that came into the store meanwhile, or the one of several that the program named. */
export function backupIdOf({ added, answer }: Pick<Order, 'added' | 'answer'>): string | null {
  const ids = added.flatMap(({ name }) => (name.startsWith('manifests/') ? [name.slice(name.lastIndexOf('/') + 1)] : []));
  return ids.length === 1 ? (ids[0] ?? null) : (ids.find((id) => id === answer?.['backupId']) ?? null);
}

function checkOf(order: Order, orders: readonly Order[]): readonly BackupCheck[] {
  const [command, asked = ''] = order.args;
  if (command !== 'verify' && command !== 'drill') return [];
  const newest = orders.findLast((one) => one.args[0] === 'create' && one.endedMs <= order.givenMs && backupIdOf(one) !== null);
  const backupId = asked !== 'latest' ? asked : newest === undefined ? null : backupIdOf(newest);
  return [{ command, backupId, elapsedMs: order.endedMs - order.givenMs, exitCode: order.exitCode, endedMs: order.endedMs }];
}

type RecoveryPoint = BackupAccount['recoveryPoint'];

/** At the fault at which it was worst: what is young when the first one strikes is old at the next. */
function recoveryPointOf(view: RunView, made: readonly BackupMade[], restores: readonly Restore[]): RecoveryPoint {
  const points = view.faults.flatMap((fault) =>
    fault.t1Ms === null ? [] : [recoveryPointAt(view, { fault: fault.fault, t1Ms: fault.t1Ms }, made, restores)],
  );
  return points.includes(null) ? null : (points.toSorted((a, b) => (b?.ageMs ?? 0) - (a?.ageMs ?? 0))[0] ?? null);
}

/** What the engine verified itself does not count, nor when it says that a backup was made: a copy that was restored and held against the ledger does, of a backup that lay in the store by then. */
function recoveryPointAt(
  view: RunView,
  { fault, t1Ms }: { readonly fault: string; readonly t1Ms: Interval },
  made: readonly BackupMade[],
  restores: readonly Restore[],
): RecoveryPoint {
  const proved = restores.flatMap(({ copy, bounded, args, backupId }) => {
    if (copy?.stateMs == null || copy.problems.length > 0 || !bounded || !isWhole(args) || backupId === null) return [];
    return committedMs(view, made, backupId) <= t1Ms.lowerMs ? [{ backupId, ...copy.stateMs }] : [];
  });
  const [newest] = proved.toSorted((a, b) => b.fromMs - a.fromMs);
  if (newest === undefined) return null;
  const { backupId, fromMs, toMs } = newest;
  return { ageMs: t1Ms.upperMs - fromMs, atLeastMs: Math.max(0, t1Ms.lowerMs - toMs), backupId, fault };
}

/** By when it was there: at the end of the order that made it, or as the store's disk says; Infinity where nobody looked. */
function committedMs(view: RunView, made: readonly BackupMade[], backupId: string): number {
  const order = made.find(({ id, exitCode }) => id === backupId && exitCode === 0);
  if (order !== undefined) return order.endedMs;
  const written = eventsOf(view.events, 'store').flatMap(({ writtenMs = {} }) =>
    Object.entries(writtenMs).flatMap(([name, ms]) => (name.endsWith(`/${backupId}`) ? [ms] : [])),
  );
  return Math.min(Number.POSITIVE_INFINITY, ...written);
}
