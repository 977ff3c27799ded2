import { expect } from 'chai';
import { PRESETS } from '../config/policy.ts';
import { Observer } from '../health/observer.ts';
import { FOLLOWERS_PACE, Peers } from '../health/peers.ts';
import type { HttpClient } from '../platform/https-client.ts';
import { SteppedClock } from '../platform/testing/stepped-clock.ts';
import { Situation } from './situation.ts';
import { setting } from './testing/walk.ts';

const policy = PRESETS.production;
const regions = Object.fromEntries(
  setting.regions.map((name) => [name, { database: `https://db.${name}`, controller: [`https://${name}`] }]),
);

describe('what a controller knows, as it begins to lead', () => {
  it('it asks every database at once and then at the pace of a leader, however lately it asked as a follower', async () => {
    const clock = new SteppedClock();
    const asked: number[] = [];
    const client: HttpClient = {
      call: (url) => {
        if (url.endsWith('/v1/status')) asked.push(clock.monotonicMs());
        return Promise.resolve({ kind: 'no-reply', reason: 'nobody is there' });
      },
      begin: () => expect.fail('not used'),
    };
    const { region, incarnation } = setting;
    let leads = false;
    const others = { onContact: () => undefined, onNews: () => undefined, votesPace: () => 1 };
    const peers = new Peers({ region, incarnation, regions, policy, clock, client, pace: () => (leads ? 1 : FOLLOWERS_PACE), ...others });
    const observer = new Observer({ region, incarnation, policy, clock, client, databases: {} });
    const situation = new Situation({ setting: { ...setting, policy }, clock, observer, peers });
    const ending = new AbortController();
    const running = peers.run(ending.signal);
    const followersMs = 2 * FOLLOWERS_PACE * policy.probePeriodMs;
    await clock.until(followersMs + 500);
    situation.follow();
    expect(asked.splice(0)).to.deep.equal([0, 0, 0, followersMs, followersMs, followersMs]);
    leads = true;
    situation.lead();
    await clock.until(followersMs + 5000);
    const atMs = [500, 2500, 4500].map((ms) => followersMs + ms);
    expect(asked).to.deep.equal(atMs.flatMap((ms) => [ms, ms, ms]));
    ending.abort();
    await running;
  });
});
