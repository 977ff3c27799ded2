import { isRunning } from './pair-records.ts';
import { agentsOf, behindText, isOneCluster, lockOn, serves, type PairSeen, type PairSide } from './pair-side.ts';

/** How a pair is: absent is neither fresh nor stale. */
export interface PairJudged {
  readonly kind: 'fresh' | 'stale' | 'broken' | 'unknown';
  readonly why: string;
  /** Who takes writes; null: nobody, or it cannot be told. */
  readonly primary: string | null;
  readonly copy: string | null;
}

/** @param seen with the copy as `own`, if there is one */
export function judgePair(seen: PairSeen, maxLagSeconds: number): PairJudged {
  const { own, other, lag } = seen;
  const locks = [lockOn(own), lockOn(other)] as const;
  const copy = locks[0].kind === 'fdbdr' ? own : locks[1].kind === 'fdbdr' ? other : null;
  const primary = [own, other].find((side, i) => locks[i]?.kind === 'none' && serves(side)) ?? null;
  const named = { primary: primary?.name ?? null, copy: copy?.name ?? null };
  const judged = (kind: PairJudged['kind'], why: string): PairJudged => ({ kind, why, ...named });
  if (isOneCluster(own, other) === true)
    return {
      ...judged('broken', 'both cluster files name one cluster, with the same processes: there is no pair'),
      primary: null,
      copy: null,
    };
  if (locks.every(({ kind }) => kind === 'fdbdr'))
    return judged('broken', 'both are locked by fdbdr, nobody can write: a switch is half done; pair switch finishes it');
  if (locks.every(({ kind }) => kind === 'none'))
    return {
      ...judged('broken', `both take writes, and neither is a copy: each who writes to the other than the gateways use is lost to them`),
      primary: null,
    };
  if (locks.every(({ kind }) => kind === 'unknown'))
    return judged('unknown', `neither ${own.name} nor ${other.name} answers: are their servers there, and is fdbcli of their version?`);
  const silent = [own, other].find((_, i) => locks[i]?.kind === 'unknown');
  if (silent !== undefined) return judged('unknown', `${silent.name} does not answer${copy === null ? '' : `; ${noteOf(copy)}`}`);
  if (copy === null) return judged('broken', 'there is no copy');
  if (primary === null) return judged('broken', 'nobody takes writes');
  return judged(...freshness(copy, primary, lag, maxLagSeconds));
}

function freshness(copy: PairSide, primary: PairSide, lag: PairSeen['lag'], maxLagSeconds: number): [PairJudged['kind'], string] {
  const state = copy.record?.state ?? null;
  if (!isRunning(state)) return ['broken', `the copy in ${copy.name} has ended (${state ?? 'never begun'}), and it is locked`];
  if (state !== 'complete') return ['stale', `${copy.name} is not a complete copy yet (${state})`];
  const behind = behindText(copy.name, lag);
  if (lag === null || lag.seconds === null) return ['unknown', behind];
  if (lag.paused) return ['stale', `${behind}, and the agents are paused`];
  if (agentsOf(primary, copy) === 0) return ['stale', `${behind}, and no agent has told of itself in two minutes`];
  if (lag.seconds > maxLagSeconds) return ['stale', `${behind}, more than the ${maxLagSeconds} s of rpo_seconds`];
  return ['fresh', behind];
}

function noteOf({ name, record }: PairSide): string {
  const seen = record?.lagSeen ?? null;
  return seen === null || seen.uid !== record?.uid
    ? `nobody has noted how far ${name} was behind`
    : `${name} was ${seen.seconds} s behind at ${new Date(seen.wallMs).toISOString()}`;
}
