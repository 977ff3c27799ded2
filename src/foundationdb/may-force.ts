import { isServing, mayServe, viewOf } from './cluster-view.ts';
import type { ClusterStatus } from './status-json.ts';

/** What is to go on alone, and what may be thrown away for it. */
export interface Forcing {
  readonly dataCenter: string;
  /** Data centres that answer and are given up all the same. */
  readonly givenUp: readonly string[];
}

export type MayForce =
  | { readonly kind: 'may' }
  /** There is nothing to force. */
  | { readonly kind: 'serves' }
  /** Not now, or not so. */
  | { readonly kind: 'not'; readonly why: string }
  /** No answer, as often in an outage: it says neither yes nor no. */
  | { readonly kind: 'no-answer' };

/** The data centre of a process that does not tell it; given up by this name. */
const UNKNOWN = 'unknown';

/**
 * Whether a forced recovery may be done by what the status says. It keeps the logs of the remote region alone and throws away all others, those of a satellite too (`epochEnd` in TagPartitionedLogSystem.actor.cpp,
 * 7.3): where a process of any other data centre answers, it may hold the newest acknowledged writes, and FoundationDB recovers from it by itself as soon as it can. So each that answers has to
 * be given up by name. How much is lost nobody can tell: the status of such an outage has a lag of 0 and no configuration (measured on 7.3.79).
 */
export function mayForce(status: ClusterStatus | null, { dataCenter, givenUp }: Forcing): MayForce {
  if (status === null) return { kind: 'no-answer' };
  const view = viewOf(status);
  if (isServing(view)) return { kind: 'serves' };
  if (status.client?.coordinators?.quorum_reachable !== true)
    return no(
      'no majority of the coordinators answers: without one nothing can be changed, a forced recovery included. Bring coordinators back first',
    );
  if (view.available !== false || view.recoveryState === null) return no('its status does not say whether it serves');
  if (mayServe(view)) return no(`its recovery is at ${view.recoveryState}: it may serve others than this machine`);
  if (view.usableRegions === 1) return no('it has its data in one region only: there is no other to recover into');
  // Also of those that are excluded: they may hold a log yet.
  const there = [...new Set(Object.values(status.cluster?.processes ?? {}).map((one) => one?.locality?.dcid ?? UNKNOWN))];
  if (!there.includes(dataCenter)) return no(`no process of ${dataCenter} answers`);
  const others = there.filter((dc) => dc !== dataCenter && !givenUp.includes(dc));
  if (others.length === 0) return { kind: 'may' };
  return no(
    `processes of ${others.join(', ')} answer: what was acknowledged last may be there, and a forced recovery throws it away. FoundationDB recovers from there by itself once enough of it is back; ` +
      'if it never will be, give it up by name with --give-up',
  );
}

function no(why: string): MayForce {
  return { kind: 'not', why };
}
