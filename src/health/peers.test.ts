import { expect } from 'chai';
import { PRESETS } from '../config/policy.ts';
import type { HttpClient } from '../platform/https-client.ts';
import { SteppedClock } from '../platform/testing/stepped-clock.ts';
import { Peers } from './peers.ts';

const policy = PRESETS.lab;
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
const regions = Object.fromEntries(names.map((name) => [name, { database: `https://db.${name}`, controller: [`https://${name}`] }]));

describe('peers', () => {
  it('are asked for their votes as often in all, however many there are, and all at once by who begins to lead', async () => {
    const clock = new SteppedClock();
    const asked: string[] = [];
    const client: HttpClient = {
      call: (url) => {
        if (url.endsWith('/v1/vote')) asked.push(url);
        return Promise.resolve({ kind: 'no-reply', reason: 'nobody is there' });
      },
      begin: () => expect.fail('not used'),
    };
    const ending = new AbortController();
    const peers = new Peers({
      region: 'a',
      incarnation: 'i',
      regions,
      policy,
      clock,
      client,
      pace: () => 4,
      votesPace: (others) => others / 2,
      onContact: () => undefined,
      onNews: () => undefined,
    });
    const running = peers.run(ending.signal);
    await clock.until(10 * policy.probePeriodMs);
    expect(asked.splice(0)).to.have.length(8);
    await clock.until(16.5 * policy.probePeriodMs);
    expect(asked.splice(0)).to.have.length(8);
    peers.askNow();
    await clock.until(17 * policy.probePeriodMs);
    expect(asked).to.have.length(8);
    ending.abort();
    await running;
  });
});
