import type { Beacon, ReachabilityCell } from '../../../history/event.ts';
import { afterProbe, EMPTY_HISTORY } from '../../local/reach/link-history.ts';
import type { Family } from '../../local/reach/protocol.ts';
import type { ProbeLog } from './probe-log.ts';

/** A datagram that has not come in after this long is lost; pods may be a continent apart. */
const LOST_AFTER_MS = 1000;
/** Datagrams of a cell, as in the sweep of the lab. */
const ROUNDS = 3;

/** One direction between two pods that have a probe each. */
export interface ProbedLink {
  readonly from: ProbeLog;
  readonly to: ProbeLog;
  readonly family: Family;
}

/** What became of a round on a link. Lost is only what its sender says that it sent, and what the receiver, who tells of a later time, did not get. */
function fateOf({ from, to, family }: ProbedLink, seq: number): 'arrived' | 'lost' | 'unknown' {
  const sent = from.round(seq);
  if (sent === undefined) return 'unknown';
  if (to.hasArrived(from.identity.number, family, seq)) return 'arrived';
  return to.seenUntilMs >= from.notAfterMs(sent.afterMs) + LOST_AFTER_MS ? 'lost' : 'unknown';
}

/** The first three datagrams that were sent after `sinceMs` for certain. `sent` is 0 as long as it is not known of each what became of it: nothing was measured then. Pure. */
export function cellOf(link: ProbedLink, sinceMs: number): ReachabilityCell {
  const first = firstAfter(link.from, sinceMs);
  const fates = Array.from({ length: ROUNDS }, (_, index) => fateOf(link, first + index));
  const known = !fates.includes('unknown');
  const received = fates.filter((fate) => fate === 'arrived').length;
  return { ...namesOf(link), sent: known ? ROUNDS : 0, received: known ? received : 0 };
}

/** What was seen of a link from one round to another, as far as each in between is known. Times are bounds: a sign of the old state was no earlier, one of the new no later. Pure. */
export function beaconOf(link: ProbedLink, fromSeq: number, toSeq: number): Beacon {
  let history = EMPTY_HISTORY;
  for (let seq = fromSeq; seq < toSeq; seq++) {
    const fate = fateOf(link, seq);
    const sent = link.from.round(seq);
    if (fate === 'unknown' || sent === undefined) break;
    const [beforeMs, afterMs] = [link.from.notBeforeMs(sent.beforeMs), link.from.notAfterMs(sent.afterMs)];
    history = afterProbe(history, { beforeMs, afterMs, arrived: fate === 'arrived' });
  }
  return { ...namesOf(link), ...history };
}

/** Whether it is known what became of every round up to this one. Pure. */
export function isSettled(link: ProbedLink, fromSeq: number, toSeq: number): boolean {
  for (let seq = toSeq - 1; seq >= fromSeq; seq--) if (fateOf(link, seq) === 'unknown') return false;
  return true;
}

const namesOf = ({ from, to, family }: ProbedLink): { readonly from: string; readonly to: string; readonly family: Family } => ({
  from: from.identity.pod,
  to: to.identity.pod,
  family,
});

/** The first round that was sent after this instant for certain; none is known: as many as there are. Pure. */
export function firstAfter(log: ProbeLog, sinceMs: number): number {
  let seq = log.rounds;
  for (let sent = log.round(seq - 1); sent !== undefined && log.notBeforeMs(sent.beforeMs) >= sinceMs; sent = log.round(seq - 1)) seq -= 1;
  return seq;
}
