import type { ExpectedEffect, FaultEffect } from '../history/event.ts';

/** Of a fault whose effect nobody of the harness can see: never confirmed, whatever the cluster says of it. Pure. */
export function judgeUnseen(
  fault: string,
  moment: FaultEffect['moment'],
  { pods, what }: Extract<ExpectedEffect, { kind: 'unseen' }>,
): FaultEffect {
  return {
    kind: 'fault-effect',
    fault,
    moment,
    confirmed: false,
    asked: moment === 'during' ? `${what} at ${pods.join(', ')}` : `nothing is done to ${pods.join(', ')}`,
    measured: `nothing: no probe of the harness sees what ${what} does; there is the cluster's word only`,
    evidence: { kind: 'none' },
  };
}
