import type { Journal, SealedLog } from '../arbiter/arbiter.ts';
import { sealQuorum } from './fencing.ts';
import type { Run, Setting } from './state.ts';

export type Sealing =
  { readonly kind: 'reached'; readonly candidates: readonly string[] } | { readonly kind: 'short'; readonly why: string };

/** Longer first: by (epoch, index), as Raft compares logs. */
export function compareLogs(a: Omit<SealedLog, 'region'>, b: Omit<SealedLog, 'region'>): number {
  return b.lastEpoch - a.lastEpoch || b.lastIndex - a.lastIndex;
}

/**
 * Whether enough is sealed to promote without losing an acknowledged write, and whom: those with the longest log, in the order of preference. The old holder itself, fenced,
 * has every write that it acknowledged: its own log is enough where the standbys' are not, if it is the log of its epoch (an emptied disk is not).
 */
export function judgeSealing(run: Pick<Run, 'journal' | 'fenced' | 'failures'>, setting: Setting): Sealing {
  const { journal, fenced } = run;
  const standbys = journal.sealed.filter(({ region }) => region !== journal.from);
  const holderLog = fenced !== null && fenced.lastEpoch > 0 && fenced.lastEpoch === journal.epoch - 1 ? [fenced] : [];
  if (standbys.length > 0 && (journal.lossAccepted || standbysSuffice(journal, standbys, run, setting))) {
    return { kind: 'reached', candidates: preferred(standbys, journal, setting) };
  }
  if (holderLog.length > 0 && journal.mode === 'sync' && setting.regions.every((region) => isDone(region, run))) {
    return { kind: 'reached', candidates: preferred([...standbys, ...holderLog], journal, setting) };
  }
  const members = standbys.filter(({ region }) => journal.set.includes(region)).length;
  return { kind: 'short', why: `${members} of the sync set (${journal.set.join(', ')}) sealed, W = ${journal.w}` };
}

function standbysSuffice(
  journal: Journal,
  standbys: readonly SealedLog[],
  run: Pick<Run, 'journal' | 'fenced' | 'failures'>,
  setting: Setting,
): boolean {
  // Async: whatever can be reached; the loss was estimated before.
  if (journal.mode === 'async') return setting.regions.every((region) => region === journal.from || isDone(region, run));
  const members = standbys.filter(({ region }) => journal.set.includes(region)).length;
  return journal.set.length > 0 && members >= sealQuorum(journal.set, journal.w);
}

/** Sealed, or tried at least once in vain. */
function isDone(region: string, { journal, failures, fenced }: Pick<Run, 'journal' | 'fenced' | 'failures'>): boolean {
  if (region === journal.from && fenced !== null) return true;
  return journal.sealed.some((log) => log.region === region) || (failures[region] ?? 0) > 0;
}

function preferred(logs: readonly SealedLog[], journal: Journal, setting: Setting): readonly string[] {
  const [longest] = logs.toSorted(compareLogs);
  if (longest === undefined) return [];
  const rank = (region: string): number => (region === journal.target ? -1 : setting.regions.indexOf(region));
  return logs
    .filter((log) => compareLogs(log, longest) === 0)
    .map(({ region }) => region)
    .toSorted((a, b) => rank(a) - rank(b));
}
