import { expect } from 'chai';
import { PRESETS } from '../config/policy.ts';
import { hear, mayWaitForArbiter, NEVER_HEARD } from './arbiter-contact.ts';

describe('contact with the arbiter', () => {
  const policy = PRESETS.lab;
  const silenceMs = policy.holderStopsMs - policy.leaseRenewMs;

  it('counts the first word as a return, and an ordinary pause as none', () => {
    const first = hear(NEVER_HEARD, 1000, policy);
    expect(first).to.deep.equal({ heardAtMs: 1000, backAtMs: 1000 });
    expect(hear(first, 1000 + silenceMs, policy)).to.deep.equal({ heardAtMs: 1000 + silenceMs, backAtMs: 1000 });
    expect(hear(first, 1001 + silenceMs, policy).backAtMs).to.equal(1001 + silenceMs);
  });

  it('an election of the arbiter is no silence', () => {
    for (const preset of [PRESETS.lab, PRESETS.production])
      expect(preset.arbiterElectionMs).to.be.at.most(preset.holderStopsMs - preset.leaseRenewMs);
  });

  it('is waited for by nobody once it is there for as long as suspecting and confirming take', () => {
    const back = hear(NEVER_HEARD, 0, policy);
    const enoughMs = policy.suspectAfterMs + policy.confirmMs;
    const heard = { ...back, heardAtMs: enoughMs };
    expect([mayWaitForArbiter(heard, enoughMs - 1, policy), mayWaitForArbiter(heard, enoughMs, policy)]).to.deep.equal([true, false]);
  });
});
