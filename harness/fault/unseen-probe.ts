import type { ChangeMoment, ExpectedEffect, FaultEffect } from '../history/event.ts';
import type { EffectProbe } from './probe.ts';
import { judgeUnseen } from './unseen-effect.ts';

/** Of an effect that nobody can see: says so, each time. */
export function unseenProbe(fault: string, expected: Extract<ExpectedEffect, { kind: 'unseen' }>): EffectProbe {
  const said = (moment: ChangeMoment): Promise<FaultEffect> => Promise.resolve(judgeUnseen(fault, moment, expected));
  return {
    before: () => said('before'),
    during: () => said('during'),
    beforeHeal: () => Promise.resolve(null),
    afterHeal: () => said('after-heal'),
    close: () => Promise.resolve(),
  };
}
