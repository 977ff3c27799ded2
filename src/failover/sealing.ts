import type { Journal, SealedLog } from '../arbiter/arbiter.ts';
import { sealQuorum } from './fencing.ts';
import type { Run, Setting } from './state.ts';

export type Sealing =
  /** `complete`: certainly nothing that was acknowledged is missing. Else there may be a loss, which is to be judged for whoever is promoted. */
  | { readonly kind: 'reached'; readonly candidates: readonly string[]; readonly complete: boolean }
  /** `best`: the longest log of those that are sealed. */
  | { readonly kind: 'short'; readonly why: string; readonly best: string | null };

type Known = Pick<Run, 'journal' | 'fenced'>;
type Sealed = Known & Pick<Run, 'failures'>;

/** Longer first: by (epoch, index), as Raft compares logs. */
export function compareLogs(a: Omit<SealedLog, 'region'>, b: Omit<SealedLog, 'region'>): number {
  return b.lastEpoch - a.lastEpoch || b.lastIndex - a.lastIndex;
}

/**
 * Whether enough is sealed to promote without losing an acknowledged write, and whom: those with the longest log, in the order of preference. The old holder itself, fenced,
 * has every write that it acknowledged: who has as much is complete whatever the others say, and its own log is enough where the standbys' are not, if it is the log of its
 * epoch (an emptied disk is not).
 */
export function judgeSealing(run: Sealed, setting: Setting): Sealing {
  const { journal } = run;
  const standbys = journal.sealed.filter(({ region }) => region !== journal.from);
  const holderLog = logOfHolder(run);
  const isComplete = (log: SealedLog): boolean => holderLog !== null && compareLogs(log, holderLog) <= 0;
  if (journal.course === 'planned') {
    const target = standbys.find(({ region }) => region === journal.target);
    if (target !== undefined && isComplete(target)) return { kind: 'reached', candidates: [target.region], complete: true };
    return { kind: 'short', why: `${journal.target} does not have everything yet`, best: journal.target };
  }
  const complete = standbys.some(isComplete) || standbysSuffice(standbys, journal);
  if (standbys.length > 0 && complete) return { kind: 'reached', candidates: preferred(standbys, journal, setting), complete };
  // Async: a standby that lacks little is promoted, and the holder, which is not well, only where there is none.
  if (holderLog !== null && (journal.mode === 'sync' || standbys.length === 0) && setting.regions.every((region) => isDone(region, run))) {
    return { kind: 'reached', candidates: preferred([...standbys, holderLog], journal, setting), complete: true };
  }
  if (standbys.length > 0 && (journal.acceptedLossSeconds !== null || isAllThatCanBeSaved(run, setting)))
    return { kind: 'reached', candidates: preferred(standbys, journal, setting), complete: false };
  return { kind: 'short', why: whyShort(standbys, journal), best: preferred(standbys, journal, setting)[0] ?? null };
}

/**
 * Who has, by what is known, a log at least as long as that of `region`, in the order of preference. Whoever was chosen was judged complete: any other than these may lack
 * acknowledged writes, also where the judgement cannot be repeated now.
 */
export function asGoodAs(region: string, { journal, fenced }: Known, setting: Setting): readonly string[] {
  const logs = knownLogs({ journal, fenced });
  const chosen = logs.find((log) => log.region === region);
  if (chosen === undefined) return [];
  return preferred(
    logs.filter((log) => compareLogs(log, chosen) <= 0),
    journal,
    setting,
  );
}

/** Who has more than `region`, by what is known. */
export function richerThan(region: string, run: Known): readonly string[] {
  const logs = knownLogs(run);
  const own = logs.find((log) => log.region === region);
  return own === undefined ? [] : logs.filter((log) => compareLogs(log, own) < 0).map((log) => log.region);
}

/** Of a region that is fenced its log is that of the fence. */
function knownLogs({ journal, fenced }: Known): readonly SealedLog[] {
  return fenced === null ? journal.sealed : [...journal.sealed.filter(({ region }) => region !== fenced.region), fenced];
}

/** Who has the longest log of the standbys that are not in `failed`; an emptied disk has none. */
export function bestOfRest({ journal }: Pick<Run, 'journal'>, failed: readonly string[], setting: Setting): string | null {
  const rest = journal.sealed.filter(({ region, lastEpoch }) => lastEpoch > 0 && region !== journal.from && !failed.includes(region));
  return preferred(rest, journal, setting)[0] ?? null;
}

/** Of those that are not in `failed` one that has at least all that the fenced holder had, and so what was acknowledged: whatever more somebody else has nobody was promised. The holder itself, which was not well, last. */
export function wholeOfRest(run: Sealed, failed: readonly string[], setting: Setting): string | null {
  const { journal } = run;
  const holderLog = logOfHolder(run);
  if (holderLog === null) return null;
  const rest = knownLogs(run).filter((log) => !failed.includes(log.region) && compareLogs(log, holderLog) <= 0);
  const standbys = rest.filter(({ region }) => region !== journal.from);
  return preferred(standbys.length > 0 ? standbys : rest, journal, setting)[0] ?? null;
}

/** The old holder, if it is fenced and has everything that it acknowledged. */
export function wholeHolder(run: Sealed): string | null {
  return logOfHolder(run)?.region ?? null;
}

/** The fenced holder's log, if it is the one of the epoch that it held. */
function logOfHolder({ journal, fenced }: Sealed): SealedLog | null {
  return fenced !== null && fenced.lastEpoch > 0 && fenced.lastEpoch === journal.epoch - 1 ? fenced : null;
}

/** Async: whatever answers. A planned run promised no loss at all. */
function isAllThatCanBeSaved(run: Sealed, setting: Setting): boolean {
  const { mode, tier, from } = run.journal;
  if (mode !== 'async' || tier === 'switchover' || tier === 'failback') return false;
  return setting.regions.every((region) => region === from || isDone(region, run));
}

function standbysSuffice(standbys: readonly SealedLog[], journal: Journal): boolean {
  if (journal.mode === 'async') return false;
  return journal.set.length > 0 && membersOf(standbys, journal) >= sealQuorum(journal.set, journal.w);
}

/** One with an emptied disk has nothing of what it acknowledged. */
function membersOf(standbys: readonly SealedLog[], { set }: Journal): number {
  return standbys.filter(({ region, lastEpoch }) => lastEpoch > 0 && set.includes(region)).length;
}

function whyShort(standbys: readonly SealedLog[], journal: Journal): string {
  if (journal.mode === 'async') return `${journal.from} did not hand over, and what it has alone cannot be known`;
  return `${membersOf(standbys, journal)} of the sync set (${journal.set.join(', ')}) sealed, W = ${journal.w}`;
}

/** Sealed, or tried at least once in vain. */
function isDone(region: string, { journal, failures, fenced }: Sealed): boolean {
  if (region === journal.from && fenced !== null) return true;
  return journal.sealed.some((log) => log.region === region) || (failures[region] ?? 0) > 0;
}

/** The longest logs; among equals the operator's target, then who has the capacity, then the operator's order. */
function preferred(logs: readonly SealedLog[], journal: Journal, { regions, promotable }: Setting): readonly string[] {
  const [longest] = logs.toSorted(compareLogs);
  if (longest === undefined) return [];
  const rank = (region: string): number =>
    region === journal.target ? -1 : regions.indexOf(region) + (promotable.includes(region) ? 0 : regions.length);
  return logs
    .filter((log) => compareLogs(log, longest) === 0)
    .map(({ region }) => region)
    .toSorted((a, b) => rank(a) - rank(b));
}
