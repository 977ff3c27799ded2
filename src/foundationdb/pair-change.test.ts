import { expect } from 'chai';
import { SteppedClock } from '../platform/testing/stepped-clock.ts';
import type { FdbcliResult } from './fdbcli.ts';
import { changePair, type PairChanged } from './pair-change.ts';
import { judgePair } from './pair-judged.ts';
import { planPairChange, type PairChange, type PairStep } from './pair-plan.ts';
import { isRunning, type CopyState } from './pair-records.ts';
import type { PairSeen, PairSide } from './pair-side.ts';
import { parseStatus } from './status-json.ts';

const NEVER = new AbortController().signal;
/** More than anything here takes. */
const LONG_MS = 200_000;
const START = { kind: 'start', erase: false } as const satisfies PairChange;
const SWITCH = { kind: 'switch', maxLagSeconds: 5 } as const satisfies PairChange;
const DONE: FdbcliResult = { kind: 'done', said: '' };
const KILLED: FdbcliResult = { kind: 'unknown', said: 'killed' };

interface Cluster {
  readonly name: string;
  /** How many writes it has, of those that were acknowledged. */
  writes: number;
  locked: string | null;
  /** The how many-th lock that is on it, or was: FoundationDB stores the moment with each. */
  lockings: number;
  /** The lock under which it was seen as the copy. */
  lockSeen: string | null;
  uid: string | null;
  state: CopyState | null;
  there: boolean;
}
const cluster = (name: string, writes: number): Cluster => ({
  name,
  writes,
  locked: null,
  lockings: 0,
  lockSeen: null,
  uid: null,
  state: null,
  there: true,
});

const lockOf = ({ locked, lockings }: Cluster): string | null => (locked === null ? null : `${locked} ${lockings}`);

/** As lockDatabase has it: where this lock is there already it stays, with its moment. */
function lock(one: Cluster, uid: string): void {
  if (one.locked !== uid) one.lockings++;
  one.locked = uid;
}

/**
 * East and west, and fdbdr as 7.3.79 has it (DatabaseBackupAgent.actor.cpp): what it refuses, in which order it switches, where it hangs when it is given again. It throws where somebody takes a lock away that is not the one that was
 * named, or where two take writes.
 */
class TwoClusters {
  readonly east = cluster('east', 100);
  readonly west = cluster('west', 0);
  /** Agents from the one to the other. */
  readonly agents = { west: true, east: true };
  /** Both cluster files name the same one. */
  areOne = false;
  /** Agents tell of a copy up to 40 s after its begin. */
  told = true;
  lagSeconds = 0.1;
  paused = false;
  lagSeen: { wallMs: number; seconds: number } | null = null;
  /** A switch is killed after so many of its steps; null: it is not. */
  killAfter: number | null = null;
  readonly steps: string[] = [];

  look(own: 'east' | 'west'): PairSeen {
    const [one, other] = own === 'west' ? [this.west, this.east] : [this.east, this.west];
    this.#copy();
    const isTold = one.state === 'complete' && one.there && other.there;
    return {
      own: this.#side(one),
      other: this.#side(other),
      lag: isTold ? { seconds: this.lagSeconds, paused: this.paused, askedMs: 0 } : null,
    };
  }

  #side(one: Cluster): PairSide {
    const { name, writes, locked, lockSeen, uid, state, there } = one;
    if (!there) return { name, status: null, record: null };
    const ids = (isThere: boolean, to: 'east' | 'west'): object => ({
      instances: isThere ? { [`to-${to}`]: {} } : {},
      tags: this.told ? { default: { mutation_stream_id: this[to].uid } } : {},
    });
    const [from, to] = name === 'east' ? (['west', 'east'] as const) : (['east', 'west'] as const);
    const status = parseStatus(
      JSON.stringify({
        client: { database_status: { available: true } },
        cluster: {
          processes: { [this.areOne ? 'one' : name]: {} },
          recovery_state: { name: 'fully_recovered' },
          database_lock_state: locked === null ? { locked: false } : { locked: true, lock_uid: locked },
          layers: { dr_backup: ids(this.agents[from], from), dr_backup_dest: ids(this.agents[to], to) },
        },
      }),
    );
    const note = this.lagSeen ?? (lockSeen === null ? null : { wallMs: Number.MAX_SAFE_INTEGER, seconds: 0 });
    const lagSeen = note === null || uid === null ? null : { ...note, uid, lock: lockSeen };
    return { name, status, record: { uid, state, lock: lockOf(one), isEmpty: writes === 0, lagSeen } };
  }

  /** What its agents do between two looks. */
  #copy(): void {
    for (const [to, from] of [
      [this.west, this.east],
      [this.east, this.west],
    ] as const)
      if (isRunning(to.state) && to.locked === to.uid && this.agents[to.name as 'east']) {
        to.state = to.state === 'submitted' ? 'copying' : 'complete';
        if (to.state === 'complete') to.writes = from.writes;
      }
  }

  act(own: 'east' | 'west', step: PairStep): FdbcliResult {
    const [one, other] = own === 'west' ? [this.west, this.east] : [this.east, this.west];
    this.steps.push(step.kind);
    if (step.kind === 'erase') one.writes = 0;
    else if (step.kind === 'start') {
      if (isRunning(one.state)) return { kind: 'refused', said: 'ERROR: A DR is already running' };
      if (one.writes > 0) return { kind: 'refused', said: 'ERROR: Attempted to restore into a non-empty destination database' };
      this.#submit(one);
    } else if (step.kind === 'switch') {
      if (one.state === 'complete') one.lockSeen = lockOf(one);
      return this.#switch(one, other, step.again);
    } else if (step.kind === 'abort') {
      if (!isRunning(one.state)) return { kind: 'refused', said: 'ERROR: A DR was not running' };
      one.state = 'aborted';
      this.#unlock(one, one.uid);
    } else this.#unlock(step.side === 'own' ? one : other, step.uid);
    return DONE;
  }

  #submit(to: Cluster): void {
    to.uid ??= `${to.name}-copy`;
    to.state = 'submitted';
    lock(to, to.uid);
  }

  #unlock(one: Cluster, uid: string | null): void {
    if (one.locked !== uid) throw new Error(`the lock ${one.locked} of ${one.name} was to be taken away as ${uid}`);
    one.locked = null;
    if (this.east.locked === null && this.west.locked === null && this.east.there) throw new Error('both take writes');
  }

  #switch(to: Cluster, from: Cluster, force: boolean): FdbcliResult {
    if (to.state !== 'complete' && to.state !== 'stopped') return { kind: 'refused', said: 'ERROR: A DR is already running' };
    if (!force && (from.locked !== null || to.locked !== to.uid || !this.told))
      return { kind: 'refused', said: 'ERROR: during submission' };
    // It waits for the version of its own lock, which a copy that has stopped never comes to.
    if (to.state === 'stopped') return KILLED;
    const steps = [
      () => {
        from.uid ??= `${from.name}-copy`;
        lock(from, from.uid);
      },
      () => (to.writes = from.writes),
      () => (to.state = 'stopped'),
      () => this.#submit(from),
      () => this.#unlock(to, to.uid),
    ];
    for (const [i, step] of steps.entries()) {
      if (i === this.killAfter) {
        this.killAfter = null;
        return KILLED;
      }
      step();
    }
    return DONE;
  }

  async change(own: 'east' | 'west', change: PairChange, outageMs = 0): Promise<PairChanged & { readonly waited: readonly string[] }> {
    const waited: string[] = [];
    const clock = new SteppedClock();
    const changing = changePair(
      {
        change,
        clock,
        patienceMs: 120_000,
        outageMs,
        status: async () => this.look(own),
        act: async (step) => this.act(own, step),
        inWords: JSON.stringify,
        onWait: (why) => waited.push(why),
      },
      NEVER,
    );
    await clock.until(LONG_MS);
    return { ...(await changing), waited };
  }
}

async function paired(): Promise<TwoClusters> {
  const two = new TwoClusters();
  expect((await two.change('west', START)).kind).to.equal('done');
  return two;
}
const abort = (acceptLossSeconds: number | 'any', wallMs = 10_000): PairChange => ({ kind: 'abort', acceptLossSeconds, wallMs });

describe('a pair of clusters that is changed', () => {
  it('starts: waits until the copy is complete, and is done when it is asked again', async () => {
    const two = new TwoClusters();
    const started = await two.change('west', START);
    expect(started).to.include({ kind: 'done', acted: true });
    expect(started.waited).to.deep.equal(['fdbdr copies east to west']);
    expect(await two.change('west', START)).to.include({ kind: 'done', acted: false });
    expect(two.steps).to.deep.equal(['start']);
  });

  it('starts over data only where that is told to go, and never over the primary', async () => {
    const two = new TwoClusters();
    two.west.writes = 7;
    expect((await two.change('west', START)).why).to.contain('--erase=west');
    expect(two.steps).to.deep.equal([]);
    expect((await two.change('west', { kind: 'start', erase: true })).kind).to.equal('done');
    expect(two.steps).to.deep.equal(['erase', 'start']);
    expect((await two.change('east', { kind: 'start', erase: true })).why).to.contain('east is the primary');
    expect(two.east.writes).to.equal(100);
  });

  it('does not erase the primary where both cluster files name it, nor where that cannot be told', async () => {
    const two = new TwoClusters();
    two.areOne = true;
    expect((await two.change('west', { kind: 'start', erase: true })).why).to.contain('name one cluster');
    const { own, other } = two.look('west');
    const untold = { ...other, status: { ...other.status, cluster: { ...other.status?.cluster, processes: undefined } } };
    expect(planPairChange({ kind: 'start', erase: true }, { own, other: untold, lag: null }).kind).to.equal('wait');
    expect(two.steps).to.deep.equal([]);
  });

  it('neither starts nor switches nor aborts under a lock that is not fdbdr’s, on either', async () => {
    for (const side of ['east', 'west'] as const) {
      const two = await paired();
      two[side].locked = 'foreign';
      for (const change of [{ kind: 'start', erase: true } as const, SWITCH]) {
        const refused = await two.change('west', change);
        expect(refused.kind, side).to.equal('refused');
        expect(refused.why).to.contain(`${side} is locked under foreign, by somebody else`);
      }
      if (side === 'west') expect((await two.change('west', abort('any'))).kind).to.equal('refused');
      expect(two[side].locked).to.equal('foreign');
      expect(two.steps).to.deep.equal(['start']);
    }
  });

  it('is not begun without agents: one way for a copy, both ways for a switch', async () => {
    const two = new TwoClusters();
    two.agents.west = false;
    expect((await two.change('west', START)).why).to.contain('no agent that copies from east to west');
    two.agents.west = true;
    expect((await two.change('west', START)).kind).to.equal('done');
    two.agents.east = false;
    expect((await two.change('west', SWITCH)).why).to.contain('no agent that copies from west to east');
    expect(two.east.locked).to.equal(null);
  });

  it('switches without a loss; asked again it does not switch back', async () => {
    const two = await paired();
    two.east.writes = 120;
    expect(await two.change('west', SWITCH)).to.include({ kind: 'done', acted: true });
    expect(two.west).to.include({ locked: null, writes: 120 });
    expect(two.east.locked).to.equal('east-copy');
    expect(await two.change('west', SWITCH)).to.include({ kind: 'done', acted: false });
    expect(await two.change('east', SWITCH)).to.include({ kind: 'done', acted: true });
    expect(two.east.locked).to.equal(null);
  });

  it('does not switch to what is too far behind, not complete, paused, or no copy', async () => {
    const two = await paired();
    two.lagSeconds = 5.1;
    expect((await two.change('west', SWITCH)).why).to.contain('5.10 s behind, more than the 5 s');
    two.lagSeconds = 0.1;
    two.paused = true;
    expect((await two.change('west', SWITCH)).why).to.contain('paused');
    two.paused = false;
    expect(planPairChange(SWITCH, { ...two.look('west'), lag: null }).kind).to.equal('wait');
    two.told = false;
    expect((await two.change('west', SWITCH)).why).to.contain('have not told of this copy yet');
    expect((await new TwoClusters().change('west', SWITCH)).why).to.contain('no copy');
    const fresh = new TwoClusters();
    fresh.act('west', { kind: 'start' });
    expect((await fresh.change('west', SWITCH)).why).to.contain('not a complete copy');
    expect([...two.steps, ...fresh.steps]).to.deep.equal(['start', 'start']);
  });

  for (let killAfter = 0; killAfter <= 4; killAfter++)
    it(`a switch that is killed after ${killAfter} of its steps comes to an end by the same command, with one primary that has everything`, async () => {
      const two = await paired();
      two.east.writes = 130;
      two.killAfter = killAfter;
      const ended = await two.change('west', SWITCH);
      const primaries = [two.east, two.west].filter(({ locked }) => locked === null);
      expect(primaries.map(({ writes }) => writes)).to.deep.equal([130]);
      // Between the end of the one copy and the start of the other fdbdr cannot go on: it is undone.
      if (killAfter === 3) {
        expect(ended.waited).to.include('until what a switch has left has stood still for 60 s');
        expect(ended.why).to.match(/has stopped, east goes on without it/);
      } else expect(ended.kind).to.equal('done');
    });

  for (const killAfter of [1, 2])
    it(`a switch that was killed after ${killAfter} of its steps is not taken for one the other way round`, async () => {
      const two = await paired();
      expect((await two.change('west', SWITCH)).kind).to.equal('done');
      expect((await two.change('east', SWITCH)).kind).to.equal('done');
      while (two.look('west').own.record?.state !== 'complete');
      two.killAfter = killAfter;
      expect(two.act('west', { kind: 'switch', again: false })).to.equal(KILLED);
      // The east was the primary, and looks like a copy that has stopped, which it was before.
      expect((await two.change('east', SWITCH)).why).to.contain('pair switch west');
      expect(two.east.locked).not.to.equal(null);
      expect((await two.change('west', SWITCH)).kind).to.equal('done');
    });

  it('a switch that was killed where nobody can tell any more which was the primary is left to whoever knows', async () => {
    const two = await paired();
    expect((await two.change('west', SWITCH)).kind).to.equal('done');
    expect((await two.change('east', SWITCH)).kind).to.equal('done');
    // A copy that has stopped long ago, and is old: somebody switched to it by force, which hangs, and was killed.
    two.west.state = 'stopped';
    two.east.writes = 200;
    lock(two.east, 'east-copy');
    for (const own of ['east', 'west'] as const) {
      const refused = await two.change(own, SWITCH);
      expect(refused.kind, own).to.equal('refused');
      expect(refused.why).to.contain('stands nowhere').and.to.contain('east-copy').and.to.contain('west-copy');
    }
    expect([two.east.locked, two.west.locked]).to.deep.equal(['east-copy', 'west-copy']);
  });

  for (const before of [1, 2, 3])
    for (const named of ['taker', 'primary'] as const)
      it(`a switch that is killed at its widest after ${before} others is undone by whoever switches to the ${named}`, async () => {
        const two = await paired();
        for (let i = 0; i < before; i++) expect((await two.change(i % 2 === 0 ? 'west' : 'east', SWITCH)).kind).to.equal('done');
        const [primary, taker] = before % 2 === 0 ? [two.east, two.west] : [two.west, two.east];
        while (two.look(taker.name as 'east').own.record?.state !== 'complete');
        primary.writes = 300;
        two.killAfter = 3;
        two.act(taker.name as 'east', { kind: 'switch', again: false });
        expect([two.east, two.west].map(({ state }) => state)).to.deep.equal(['stopped', 'stopped']);
        const undone = await two.change((named === 'taker' ? taker : primary).name as 'east', SWITCH);
        expect(undone.waited).to.include('until what a switch has left has stood still for 60 s');
        expect(undone.why).to.contain(`pair start ${taker.name} --erase=${taker.name}`);
        expect(primary).to.include({ locked: null, writes: 300 });
        expect(taker.locked).to.equal(taker.uid);
      });

  it('a switch is not undone by a note of a lock that somebody has ended since: what was written there is newer', async () => {
    const two = await paired();
    for (const own of ['west', 'east'] as const) expect((await two.change(own, SWITCH)).kind).to.equal('done');
    while (two.look('west').own.record?.state !== 'complete');
    two.killAfter = 3;
    two.act('west', { kind: 'switch', again: false });
    // Unlocked by hand, written to, and then fdbdr switch -f, which hangs and is killed.
    two.west.locked = null;
    two.west.writes = 400;
    lock(two.west, 'west-copy');
    for (const own of ['east', 'west'] as const) expect((await two.change(own, SWITCH)).why, own).to.contain('stands nowhere');
  });

  it('aborts only where the primary has been out without a break, and nothing more is lost than was typed', async () => {
    const two = await paired();
    expect((await two.change('west', abort('any'), 30_000)).why).to.contain('east serves');
    two.east.there = false;
    expect((await two.change('west', abort(3600), 30_000)).why).to.contain('only --accept-data-loss=any');
    two.lagSeen = { wallMs: 4000, seconds: 0.5 };
    const little = await two.change('west', abort(6.4), 30_000);
    expect(little.why).to.contain('up to 6.5 s');
    expect(two.west.locked).to.equal('west-copy');
    const aborted = await two.change('west', abort(6.5), 30_000);
    expect(aborted).to.include({ kind: 'done', acted: true });
    expect(aborted.waited[0]).to.contain('out for 30 s');
    expect(two.west.locked).to.equal(null);
    expect(await two.change('west', abort('any'), 30_000)).to.include({ kind: 'done', acted: false });
  });

  it('a note of the lag that is of another copy, or from the future, is none', async () => {
    const two = await paired();
    two.east.there = false;
    two.lagSeen = { wallMs: 20_000, seconds: 0 };
    expect((await two.change('west', abort(9999))).kind).to.equal('refused');
    const seen = two.look('west');
    const record = { ...seen.own.record, lagSeen: { wallMs: 1, seconds: 0, uid: 'another' } } as NonNullable<PairSide['record']>;
    expect(planPairChange(abort(9999), { ...seen, own: { ...seen.own, record } }).kind).to.equal('refused');
  });

  it('does not go on with a part of the data, and ends an abort that was killed before its lock was gone', async () => {
    const two = new TwoClusters();
    two.act('west', { kind: 'start' });
    two.east.there = false;
    two.agents.west = false;
    expect((await two.change('west', abort('any'))).why).to.contain('is not a complete copy');
    two.west.state = 'aborted';
    expect((await two.change('west', abort('any'))).kind).to.equal('done');
    expect(two.steps).to.deep.equal(['start', 'unlock']);
  });

  it('waits for a cluster that does not answer, and tells that nothing is decided', async () => {
    const two = await paired();
    two.east.there = false;
    expect(await two.change('west', SWITCH)).to.include({ kind: 'undecided', why: 'east does not answer', acted: false });
    two.west.there = false;
    expect((await two.change('west', abort('any'))).kind).to.equal('undecided');
  });
});

describe('how a pair is', () => {
  const judge = (two: TwoClusters) => judgePair(two.look('west'), 5);
  it('is fresh with a copy that is close behind, and nothing else is', async () => {
    const two = await paired();
    expect(judge(two)).to.include({ kind: 'fresh', primary: 'east', copy: 'west' });
    two.lagSeconds = 6;
    expect(judge(two).kind).to.equal('stale');
    two.lagSeconds = 0;
    two.paused = true;
    expect(judge(two).kind).to.equal('stale');
    two.paused = false;
    two.agents.west = false;
    expect(judge(two).kind).to.equal('stale');
    expect(judgePair({ ...two.look('west'), lag: null }, 5).kind).to.equal('unknown');
    two.west.state = 'aborted';
    expect(judge(two).kind).to.equal('broken');
  });

  it('is none where both cluster files name one cluster, which is no second primary', () => {
    const two = new TwoClusters();
    two.areOne = true;
    expect(judge(two)).to.include({ kind: 'broken', primary: null, copy: null });
    expect(judge(two).why).to.contain('both cluster files name one cluster');
  });

  it('is broken with two primaries or none, and not known where one does not answer', async () => {
    expect(judge(new TwoClusters())).to.include({ kind: 'broken', primary: null, copy: null });
    const two = await paired();
    two.killAfter = 1;
    two.act('west', { kind: 'switch', again: false });
    expect(judge(two).why).to.contain('half done');
    const lost = await paired();
    lost.east.there = false;
    expect(judge(lost)).to.include({ kind: 'unknown', primary: null, copy: 'west' });
    lost.west.there = false;
    expect(judge(lost)).to.include({ kind: 'unknown', primary: null, copy: null });
    expect(judge(lost).why).to.match(/^neither west nor east answers: .*is fdbcli of their version/);
  });
});
