import { expect } from 'chai';
import { PRESETS } from '../config/policy.ts';
import type { HttpClient } from '../platform/https-client.ts';
import { SteppedClock } from '../platform/testing/stepped-clock.ts';
import { Peers, type PeersOptions } from './peers.ts';

const policy = PRESETS.lab;
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
const regions = Object.fromEntries(names.map((name) => [name, { database: `https://db.${name}`, controller: [`https://${name}`] }]));

const peersOf = (given: Pick<PeersOptions, 'clock' | 'client'> & Partial<PeersOptions>): Peers =>
  new Peers({
    region: 'a',
    incarnation: 'i',
    regions,
    policy,
    pace: () => 1,
    votesPace: () => 1,
    onContact: () => undefined,
    onNews: () => undefined,
    ...given,
  });

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
    const peers = peersOf({ clock, client, pace: () => 4, votesPace: (others) => others / 2 });
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

  it('that are there and wait for their database are told from those that are away, and from those that say something else', async () => {
    const clock = new SteppedClock();
    const said: Readonly<Record<string, { readonly status: number; readonly body: string }>> = {
      'https://db.b/v1/status': { status: 503, body: '{"error":{"code":"database-unavailable","message":"it may be recovering"}}' },
      'https://db.c/v1/status': { status: 503, body: '{"error":{"code":"too-busy","message":""}}' },
      'https://db.d/v1/status': { status: 200, body: '{"error":{"code":"database-unavailable","message":""}}' },
      'https://db.e/v1/status': { status: 503, body: 'nonsense' },
    };
    const client: HttpClient = {
      call: (url) => {
        const reply = said[url];
        if (reply === undefined) return Promise.resolve({ kind: 'no-reply', reason: 'away' });
        return Promise.resolve({ kind: 'reply', status: reply.status, body: Buffer.from(reply.body) });
      },
      begin: () => expect.fail('not used'),
    };
    const ending = new AbortController();
    const peers = peersOf({ clock, client, onContact: () => expect.fail('nobody said who it is') });
    const running = peers.run(ending.signal);
    await clock.until(2.5 * policy.probePeriodMs);
    ending.abort();
    await running;
    expect([...peers.waitingAtMs]).to.deep.equal([['b', 2 * policy.probePeriodMs]]);
    expect(peers.databases.size).to.equal(0);
  });
});
