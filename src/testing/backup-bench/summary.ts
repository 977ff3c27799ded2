import type { Operation } from './contenders.ts';
import type { Figure } from './rounds.ts';

/** Rounds that were run together. */
export interface Run {
  readonly at: string;
  /** Of the engine that was measured (bench-revision.ts). Left out: of before it was kept. */
  readonly revision?: string;
  readonly gib: number;
  /** Where stores and targets were. */
  readonly place: string;
  readonly bytes: number;
  readonly records: number;
  readonly machine: { readonly cpu: string; readonly cpus: number; readonly memoryBytes: number; readonly kernel: string };
  /** Of one minute, at the beginning and at the end. */
  readonly load: readonly number[];
  readonly versions: Readonly<Record<string, string>>;
  readonly missing: readonly string[];
  readonly contenders: Readonly<Record<string, string>>;
  readonly figures: readonly Figure[];
}

export interface Spread {
  readonly n: number;
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export interface Claim {
  readonly says: string;
  readonly target: string;
  /** null: not measured. */
  readonly value: Spread | null;
  readonly reached: boolean | null;
}

export type Per = 'wallMs' | 'cpuMs';
const PEERS = /^(restic|borg|kopia)/;
const MIB = 2 ** 20;

export function spread(values: readonly number[]): Spread | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >>> 1;
  if (sorted.length === 0) return null;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { n: sorted.length, min: sorted[0]!, median, max: sorted.at(-1)! };
}

/** Millions of bytes of records for each second, of the clock or of CPU time. */
export function rates(runs: readonly Run[], contender: string, operation: Figure['operation'], per: Per): Spread | null {
  return spread(
    runs.flatMap(({ bytes, figures }) =>
      figures
        .filter((figure) => figure.contender === contender && figure.operation === operation)
        .map((figure) => bytes / 1000 / figure[per]),
    ),
  );
}

/** Ours against the fastest of restic and borg (any of their ways) in the same round: above 1 is faster. */
export function againstPeers(runs: readonly Run[], operation: Operation, per: Per): Spread | null {
  return perRound(runs, (figures) => {
    const ours = figures.find(({ contender, operation: its }) => contender === 'ours' && its === operation);
    const peers = figures.filter(({ contender, operation: its }) => PEERS.test(contender) && its === operation);
    return ours === undefined || peers.length === 0 ? null : Math.min(...peers.map((peer) => peer[per])) / ours[per];
  });
}

/** Share of the limit in the same round. */
export function ofLimit(runs: readonly Run[], per: Per): Spread | null {
  return ratio(runs, 'limit', 'backup', per);
}

function ratio(runs: readonly Run[], top: Figure['operation'], bottom: Figure['operation'], per: Per): Spread | null {
  const find = (figures: readonly Figure[], operation: Figure['operation']): Figure | undefined =>
    figures.find((figure) => figure.operation === operation && (operation === 'limit' || figure.contender === 'ours'));
  return perRound(runs, (figures) => {
    const [a, b] = [find(figures, top), find(figures, bottom)];
    return a === undefined || b === undefined ? null : a[per] / b[per];
  });
}

function perRound(runs: readonly Run[], of: (figures: readonly Figure[]) => number | null): Spread | null {
  const values = runs.flatMap(({ figures }) =>
    [...Map.groupBy(figures, ({ round }) => round).values()].map(of).filter((value) => value !== null),
  );
  return spread(values);
}

/** What issue 5 asks for, each from the rounds that can tell: those of this revision, since what an earlier program reached says nothing of it. */
export function claimsOf(revision: string, all: readonly Run[]): readonly Claim[] {
  const at = (gib: number, place: string): readonly Run[] =>
    all.filter((run) => run.revision === revision && run.gib === gib && run.place === place);
  const [one, four, quarter] = [at(1, 'tmpfs'), at(4, 'tmpfs'), at(0.25, 'tmpfs')];
  const least = (says: string, target: number, value: Spread | null): Claim => ({
    says,
    target: `at least ${target}`,
    value,
    reached: value === null ? null : value.median >= target,
  });
  const most = (says: string, target: number, value: Spread | null): Claim => ({
    says,
    target: `at most ${target}`,
    value,
    reached: value === null ? null : value.max <= target,
  });
  const peak = (runs: readonly Run[], of: 'totalBytes' | 'anonymousBytes'): Spread | null =>
    spread(
      runs.flatMap(({ figures }) =>
        figures.flatMap(({ contender, operation, peak: its }) =>
          contender === 'ours' && operation === 'backup' && its !== null ? [its[of] / MIB] : [],
        ),
      ),
    );
  const growth = ((): Spread | null => {
    const [small, large] = [rates(quarter, 'ours', 'backup', 'cpuMs'), rates(four, 'ours', 'backup', 'cpuMs')];
    return small === null || large === null ? null : spread([small.median / large.median]);
  })();
  return [
    least('backup of 1 GiB, MB per CPU-second: ours / fastest of restic and borg', 1.5, againstPeers(one, 'backup', 'cpuMs')),
    least('backup of 1 GiB, MB/s: ours / fastest of restic and borg', 1.5, againstPeers(one, 'backup', 'wallMs')),
    least('backup of 1 GiB, MB/s: share of the limit in memory', 0.7, ofLimit(one, 'wallMs')),
    least('backup of 1 GiB, MB per CPU-second: share of the limit in memory', 0.7, ofLimit(one, 'cpuMs')),
    least('unchanged backup of 1 GiB: how many times faster than the first', 5, ratio(one, 'backup', 'unchanged', 'wallMs')),
    least('restore of 1 GiB with both-way compare, MB/s: ours / fastest plain restore', 1, againstPeers(one, 'restore', 'wallMs')),
    most('peak memory of a backup of 0.25 GiB in MiB, all that is resident', 400, peak(quarter, 'totalBytes')),
    most('the same, without mapped pages of the database', 400, peak(quarter, 'anonymousBytes')),
    most('peak memory of a backup of 4 GiB in MiB, all that is resident', 400, peak(four, 'totalBytes')),
    most('the same, without mapped pages of the database', 400, peak(four, 'anonymousBytes')),
    most('CPU time for each GiB of a backup: 4 GiB / 0.25 GiB', 1, growth),
  ];
}
