import { chmodSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { loadConfig } from '../config/load.ts';
import type { FdbcliResult } from '../foundationdb/fdbcli.ts';
import type { Clock } from '../platform/clock.ts';
import { OneController, pausedBy } from '../testing/one-controller.ts';
import { changeUnderPause, type PausedWork } from './change-under-pause.ts';
import { Controllers } from './controllers.ts';
import { Order } from './order.ts';

const NEVER = new AbortController().signal;
const DONE: FdbcliResult = { kind: 'done', said: '' };
const WHY = 'FoundationDB: set-up coordinators 1 2 3';
const STATUS = { client: { database_status: { available: true } }, cluster: { recovery_state: { name: 'fully_recovered' } } };

/** Time is what a test says; who sleeps is woken by it. */
class HandClock implements Clock {
  nowMs = Date.parse('2026-11-28T12:00:00.000Z');
  #wake: (() => void)[] = [];
  monotonicMs = (): number => this.nowMs;
  wall = (): Date => new Date(this.nowMs);
  sleep = (_: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      signal?.addEventListener('abort', () => resolve(), { once: true });
      this.#wake.push(resolve);
    });
  wake(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** Resolves when it is told to. */
function held(): { readonly change: () => Promise<FdbcliResult>; readonly begun: Promise<void>; readonly end: () => void } {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<FdbcliResult>();
  const change = (): Promise<FdbcliResult> => {
    begun.resolve();
    return ended.promise;
  };
  return { change, begun: begun.promise, end: () => ended.resolve(DONE) };
}

describe('a change of FoundationDB under a pause', function () {
  this.timeout(60_000);
  let one: OneController;
  let controllers: Controllers;
  let clock: HandClock;

  before(async () => {
    one = await OneController.start();
    writeFileSync(one.file('fdbcli'), `#!/bin/sh\necho '${JSON.stringify(STATUS)}'\n`);
    chmodSync(one.file('fdbcli'), 0o755);
    controllers = new Controllers(loadConfig(one.file('config.yaml'), {}), NEVER);
  });
  beforeEach(() => {
    one.asked = [];
    one.paused = one.first = undefined;
    one.isOlder = false;
    clock = new HandClock();
  });
  after(async () => {
    controllers.close();
    await one.close();
  });

  function work(): PausedWork {
    const cli = { program: one.file('fdbcli'), clusterFile: one.file('fdb.cluster') };
    return {
      loaded: loadConfig(one.file('config.yaml'), {}),
      by: 'ada',
      cli,
      controllers,
      tell: () => undefined,
      order: new Order(clock),
    };
  }
  const make = (by: PausedWork, change: () => Promise<FdbcliResult> = () => Promise.resolve(DONE)) =>
    changeUnderPause(by, { what: 'coordinators', why: WHY, change }, NEVER);

  /** Looks about every 30 s, for so long. */
  async function makeInVain(given: PausedWork, seconds: number): Promise<void> {
    for (let left = seconds; ; left -= 30) {
      expect((await make(given)).said).to.contain('ada has paused');
      if (left <= 0) return;
      clock.nowMs += Math.min(30, left) * 1000;
    }
  }

  it('is not made at the same time by two who give the same order, and who ends first leaves the pause of the other', async () => {
    const [ada, bert] = [work(), work()];
    const first = held();
    const making = make(ada, first.change);
    await first.begun;
    let changed = false;
    const second = await make(bert, () => {
      changed = true;
      return Promise.resolve(DONE);
    });
    expect(second).to.include({ kind: 'unknown' });
    expect(second.said).to.contain('one change of FoundationDB at a time');
    expect({ changed, asked: one.asked }).to.deep.equal({ changed: false, asked: ['pause'] });
    first.end();
    expect(await making).to.equal(DONE);
    expect(one.paused).to.equal(undefined);
    expect(await make(bert)).to.equal(DONE);
  });

  it('goes on where the same order, or another, was killed: once its pause has not been renewed', async () => {
    one.paused = pausedBy('ada', `${WHY} (order 0123abcd)`);
    const given = work();
    await makeInVain(given, 89);
    one.paused = { ...one.paused, since: '2026-11-28T12:00:10.000Z' };
    await makeInVain(given, 89);
    clock.nowMs += 1000;
    expect(await make(given)).to.equal(DONE);
    expect(one.asked).to.deep.equal(['pause', 'resume']);
    expect(one.paused).to.equal(undefined);
  });

  it('does not take for killed what it has not looked at: nobody may have led, and none could renew', async () => {
    one.paused = pausedBy('ada', `${WHY} (order 0123abcd)`);
    const given = work();
    await makeInVain(given, 60);
    clock.nowMs += 31_000;
    await makeInVain(given, 89);
    clock.nowMs += 1000;
    expect(await make(given)).to.equal(DONE);
  });

  it('says so where the controller is older and cannot give that place away, and goes on when that pause is over', async () => {
    one.isOlder = true;
    one.paused = { ...pausedBy('ada', `${WHY} (order 0123abcd)`), until: '2026-11-28T12:10:00.000Z' };
    const given = work();
    await makeInVain(given, 89);
    clock.nowMs += 1000;
    const waited = await make(given);
    expect(waited).to.include({ kind: 'unknown' });
    expect(waited.said).to.match(/^the controller of us-central1 is older than this program \(body: .*over/);
    expect(waited.said).to.contain('(order 0123abcd)), which nobody renews, is over: 2026-11-28T12:10:00.000Z, or coditect-dr resume');
    one.paused = undefined;
    expect(await make(given)).to.equal(DONE);
    expect(one.paused, 'its own is ended there, too').to.equal(undefined);
    expect(one.asked).to.deep.equal(['pause', 'pause', 'resume', 'resume']);
  });

  it('does not go on so under what is not renewed by anybody', async () => {
    one.paused = pausedBy('ada', 'FoundationDB is to go on in us-east1 alone, whatever is lost');
    const given = work();
    for (let look = 0; look < 3; look++, clock.nowMs += 1e6) expect(await make(given)).to.include({ kind: 'unknown' });
    expect(one.asked).to.deep.equal([]);
  });

  it('renews its pause while it is made, so that others see that it lives', async () => {
    const slow = held();
    const making = make(work(), slow.change);
    await slow.begun;
    const before = one.paused?.since;
    await untilAsked('pause', 'pause');
    expect(one.paused?.since).not.to.equal(before);
    slow.end();
    await making;
    expect(one.paused).to.equal(undefined);
  });

  it('is kept from failovers where the pause of somebody else, under which it is made, ends in the middle', async () => {
    one.paused = pausedBy('anna', 'new switches');
    const slow = held();
    const making = make(work(), slow.change);
    await slow.begun;
    one.paused = undefined;
    await untilAsked('pause');
    expect(one.paused).to.have.property('why').that.contains(WHY);
    slow.end();
    expect(await making).to.equal(DONE);
    expect(one.asked.at(-1)).to.equal('resume');
    expect(one.paused).to.equal(undefined);
  });

  it('is not begun under one of somebody else that ends before long', async () => {
    one.paused = { ...pausedBy('anna', 'new switches'), until: '2026-11-28T12:03:00.000Z' };
    expect((await make(work())).said).to.contain('until 2026-11-28T12:03:00.000Z, which is too short');
    one.paused = { ...one.paused, until: '2026-11-28T12:03:01.000Z' };
    expect(await make(work())).to.equal(DONE);
    expect(one.asked).to.deep.equal([]);
    expect(one.paused).to.include({ by: 'anna' });
  });

  async function untilAsked(...asked: readonly string[]): Promise<void> {
    for (let looks = 0; looks < 1000 && one.asked.length < asked.length; looks++) {
      clock.wake();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(one.asked.slice(0, asked.length)).to.deep.equal(asked);
  }
});
