import type { ResultDocument } from '../report/result-shape.ts';

/** Where the time of one recovery went, in milliseconds; null where it was not seen. */
export interface Breakdown {
  /** Effect of the fault to suspicion, suspicion to decision. */
  readonly detect: number | null;
  readonly decide: number | null;
  /** By the engine's own account: taking the epoch; then, side by side, waiting for the fence and sealing (until the chosen log is complete); then to the first commit. */
  readonly acquire: number | null;
  readonly fence: number | null;
  readonly catchUp: number | null;
  readonly promote: number | null;
  /** How much of the recovery clients waited for the name alone. */
  readonly dns: number | null;
  /** From the first commit to the first operation of sustained service at the worst client: a lone good one between two bad ones is none. */
  readonly firstSuccess: number | null;
  /** Upper bound of the recovery interval at the worst vantage. */
  readonly recovery: number | null;
}

/** Of a run's first fault that was detected. */
export function breakdown(result: ResultDocument): Breakdown {
  const points: Partial<ResultDocument['faults'][number]['points']> =
    result.faults.map((fault) => fault.points).find(({ t3Detected }) => t3Detected != null) ?? {};
  const { t1Effect, t3Detected, t4Decided, t5Writable, t7Sustained } = points;
  const said = (action: string, untilMs = Infinity): number | null =>
    result.engineClaims.findLast(
      (claim) => claim.action === action && isController(claim.pod) && claim.atMs >= (t4Decided ?? Infinity) && claim.atMs <= untilMs,
    )?.atMs ?? null;
  const writableMs = t5Writable ?? Infinity;
  const acquiredMs = said('epoch_acquired', writableMs);
  const fencedMs = said('fence_confirmed', writableMs);
  const sealedMs = said('sealed', writableMs);
  const readyMs = fencedMs === null || sealedMs === null ? null : Math.max(fencedMs, sealedMs);
  const { recovery } = result;
  return {
    detect: between(t1Effect, t3Detected),
    decide: between(t3Detected, t4Decided),
    acquire: between(t4Decided, acquiredMs),
    fence: between(acquiredMs, fencedMs),
    catchUp: between(acquiredMs, sealedMs),
    promote: between(readyMs, t5Writable),
    dns: recovery.state === 'recovered' ? recovery.dnsShareMs : null,
    firstSuccess: between(t5Writable, t7Sustained),
    recovery: recovery.state === 'recovered' ? recovery.upperMs : null,
  };
}

function isController(pod: string): boolean {
  return pod.startsWith('dr-controller');
}

function between(from: number | null | undefined, to: number | null | undefined): number | null {
  return from == null || to == null ? null : to - from;
}
