import { expect } from 'chai';
import { PRESETS } from '../config/policy.ts';
import { answersSilenceMs, beginToAsk, hearAnswer, hearNews, mayWaitForArbiter, NEVER_HEARD } from './arbiter-contact.ts';

describe('contact with the arbiter', () => {
  const policy = PRESETS.lab;
  const silenceMs = policy.holderStopsMs - policy.leaseRenewMs;
  const enoughMs = policy.suspectAfterMs + policy.confirmMs;

  it('counts the first word as a return, and an ordinary pause as none', () => {
    const first = hearNews(NEVER_HEARD, 1000, policy);
    expect(first.news).to.deep.equal({ heardAtMs: 1000, backAtMs: 1000 });
    expect(hearNews(first, 1000 + silenceMs, policy).news).to.deep.equal({ heardAtMs: 1000 + silenceMs, backAtMs: 1000 });
    expect(hearNews(first, 1001 + silenceMs, policy).news.backAtMs).to.equal(1001 + silenceMs);
  });

  it('an election of the arbiter is no silence', () => {
    for (const preset of [PRESETS.lab, PRESETS.production]) {
      expect(preset.arbiterElectionMs).to.be.at.most(preset.holderStopsMs - preset.leaseRenewMs);
      // The last answer is as old as a renewal is, the next one comes to a request that had to be tried again.
      expect(preset.arbiterElectionMs + preset.leaderRenewMs + 3 * preset.arbiterRpcMs).to.be.at.most(answersSilenceMs(preset));
    }
  });

  it('is waited for by nobody once it is there for as long as suspecting and confirming take', () => {
    const back = hearNews(NEVER_HEARD, 0, policy);
    const heard = { ...back, news: { ...back.news, heardAtMs: enoughMs } };
    expect([mayWaitForArbiter(heard, enoughMs - 1, policy), mayWaitForArbiter(heard, enoughMs, policy)]).to.deep.equal([true, false]);
  });

  it('news are no sign that it answers: a leader that is not answered waits, and so long again from the next answer on (found by the simulator, seed 4770)', () => {
    const unansweredMs = answersSilenceMs(policy) + 1;
    const asking = beginToAsk(hearNews(NEVER_HEARD, -enoughMs, policy), 0);
    const told = [...Array(30).keys()].reduce((contact, i) => hearNews(contact, (unansweredMs * i) / 29, policy), asking);
    expect(mayWaitForArbiter(told, unansweredMs - 1, policy)).to.equal(false);
    expect(mayWaitForArbiter(told, unansweredMs, policy)).to.equal(true);
    const answered = hearAnswer(told, unansweredMs, policy);
    expect(mayWaitForArbiter(answered, unansweredMs + 1, policy)).to.equal(true);
    const later = hearAnswer(answered, unansweredMs + enoughMs, policy);
    expect(mayWaitForArbiter(later, unansweredMs + enoughMs, policy)).to.equal(false);
    expect(mayWaitForArbiter({ ...told, answers: null }, unansweredMs, policy), 'who does not lead asks nothing').to.equal(false);
  });
});
