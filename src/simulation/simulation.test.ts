import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { policyProblems } from '../config/policy.ts';
import { LEADER, type Fault, type Where } from './fault.ts';
import { choosePolicy, withLongLease } from './policies.ts';
import { simulate } from './pool.ts';
import { Random } from './random.ts';
import type { WrongMachine } from './wrong-machine.ts';
import { WRONG_MACHINES } from './wrong-machines.ts';

describe('simulator', function () {
  this.timeout(240_000);

  it('finds no broken promise in a few dozen worlds, in which failovers do happen', async () => {
    const { failures, failovers, acknowledgedWrites } = await simulate({ firstSeed: 1, seeds: 32 });
    expect(failures).to.deep.equal([]);
    expect(failovers).to.be.greaterThan(10);
    expect(acknowledgedWrites).to.be.greaterThan(1500);
  });

  /** A seed is another world when what the simulator draws from it changes: then those found last tell most. */
  const ONCE_BROKEN: Readonly<Record<number, string>> = {
    1372: 'async: a standby that had promised was restarted',
    2962: 'gate and quorum that open in one moment',
    3135: 'async: loss behind direct leases told too low',
    3549: 'async: loss behind direct leases told too low',
    4770: 'answers of the arbiter are lost, its news are not',
    7302: 'the arbiter fails in the moment in which a slow disk is over',
    20525: 'a leader that stood still while it ended',
    24128: 'async: approvals of a loss that grew for ever, by a write that the fenced primary had begun',
    22752: 'who writes hears nothing, who hears asks nothing',
    31075: 'a standby that a primary took into its set right before it was given up: it had not waited for that',
    505355: 'a standby that came back after the last commit, and before anybody suspected for want of one',
  };
  for (const [seed, what] of Object.entries(ONCE_BROKEN)) {
    it(`breaks no promise any more in seed ${seed}: ${what}`, async () => {
      expect((await simulate({ firstSeed: Number(seed), seeds: 1, workers: 1 })).failures).to.deep.equal([]);
    });
  }

  it('runs a seed the same way in every thread', async () => {
    const run = (workers: number) => simulate({ firstSeed: 100, seeds: 9, workers, trace: true });
    const [once, again] = [await run(1), await run(2)];
    expect(once.trace.length).to.be.greaterThan(100);
    expect(again.trace.toSorted()).to.deep.equal(once.trace.toSorted());
  });

  it('has numbers in its policies that the engine would take', () => {
    for (let seed = 1; seed < 50; seed++) {
      const policy = choosePolicy(new Random(seed, 'settings'));
      expect([...policyProblems(policy), ...policyProblems(withLongLease(policy))]).to.deep.equal([]);
    }
  });
});

describe('a disk that is emptied', function () {
  this.timeout(120_000);
  const emptied = (region: Where, atMs: number, forMs: number): Fault => ({ kind: 'disk-emptied', region, atMs, forMs });

  /** What the engine did wrong there, each with the other faults of that seed that it needs. */
  const ONCE_BROKEN: readonly (readonly [seed: number, what: string, keep: readonly number[], ...more: readonly Fault[]])[] = [
    [105, 'of two that are as good as the fenced primary none was promoted', [0], emptied('@standby-2', 1933.24370086, 187.1080045)],
    [21507, 'who was chosen first was not asked again', [1, 2, 3], emptied('@primary', 3546.76747322, 232.98488753)],
    [2293, 'a sealed standby forgot its seal, and counted for the old primary', [0, 1], emptied('@standby-2', 3549.00038019, 287.70198946)],
    [
      2482,
      'one of the set was filled by a primary of an older epoch, and sealed as a member',
      [1, 2, 3, 4],
      { ...emptied('@standby-2', 0, 1154.67827073), onStep: 'VERIFY_E2E', afterStepMs: 2.66433099 },
    ],
    [
      3079,
      'a primary that came back with nobody in its set never served',
      [1],
      emptied('@standby-1', 1468.72025809, 414.87475492),
      { kind: 'region-down', region: '@primary', atMs: 2137.9225842, forMs: 1572.62364628 },
    ],
  ];
  for (const [firstSeed, what, keep, ...more] of ONCE_BROKEN) {
    it(`breaks no promise any more in seed ${firstSeed}: ${what}`, async () => {
      expect((await simulate({ firstSeed, seeds: 1, workers: 1, keep, more })).failures).to.deep.equal([]);
    });
  }
});

describe('a controller that leads and is ended by SIGTERM', function () {
  this.timeout(120_000);
  const rollout: Fault = { kind: 'terminate', region: LEADER, atMs: 6000, forMs: 3000 };
  const killed: Fault = { kind: 'crash', region: LEADER, program: 'controller', atMs: 6000, forMs: 3000 };

  /** In worlds where nothing else happens: how long after the leader's end another one leads, in virtual time. */
  async function leaderless(fault: Fault): Promise<readonly number[]> {
    const { trace, failures } = await simulate({ firstSeed: 1, seeds: 3, workers: 1, keep: [], more: [fault], trace: true });
    expect(failures).to.deep.equal([]);
    let endedAtMs: number | null = null;
    return trace.flatMap((line) => {
      const atMs = Number(line.trim().split(' ')[0]);
      if (line.includes(`begins: ${fault.kind}`)) endedAtMs = atMs;
      else if (endedAtMs !== null && line.includes(' leader_elected ')) {
        const tookMs = atMs - endedAtMs;
        endedAtMs = null;
        return [tookMs];
      }
      return [];
    });
  }

  it('hands over at once, where one that is killed is waited for', async () => {
    const [handedOver, waited] = [await leaderless(rollout), await leaderless(killed)];
    expect([handedOver.length, waited.length]).to.deep.equal([3, 3]);
    expect(Math.max(...handedOver)).to.be.lessThan(Math.min(...waited) / 2);
  });

  it('breaks no promise by it, in whichever step of a failover', async () => {
    const steps = ['ACQUIRE', 'FENCE_AND_SEAL', 'PROMOTE', 'ROUTE', 'STABILISE'] as const;
    const more = steps.map((onStep, i): Fault => ({ ...rollout, atMs: 0, onStep, afterStepMs: 7 * i }));
    const { failures, failovers } = await simulate({ firstSeed: 1, seeds: 8, more });
    expect(failures).to.deep.equal([]);
    expect(failovers).to.be.greaterThan(1);
  });
});

describe('wrong machines', function () {
  this.timeout(60_000);

  const changesOf = ({ name, and, ...change }: WrongMachine): readonly WrongMachine[] =>
    [change, ...(and === undefined ? [] : [and])].map((one) => ({ name, ...one }));

  it('differ from the engine as it is built in one place each, or in two where it keeps a promise twice', () => {
    for (const { name, module, find, put } of WRONG_MACHINES.flatMap(changesOf)) {
      const built = readFileSync(join(import.meta.dirname, '..', module), 'utf8');
      expect(built.split(find).length, name).to.equal(2);
      expect(put, name).to.not.equal(find);
    }
    expect(new Set(WRONG_MACHINES.map(({ name }) => name)).size).to.equal(WRONG_MACHINES.length);
  });

  for (const name of ['fenced, but the lease goes on', 'a pause is ignored']) {
    it(`"${name}" is found, and a failing seed fails again with the fewest faults that it needs`, async () => {
      const wrong = WRONG_MACHINES.find((one) => one.name === name) ?? null;
      const [found] = (await simulate({ firstSeed: 1, seeds: 100, wrong, stopAfterFailures: 1, shrinkBudget: 6 })).failures;
      if (found === undefined) return expect.fail('not found in 100 worlds');
      const again = await simulate({ firstSeed: found.seed, seeds: 1, wrong, keep: found.keep });
      expect(again.failures.map(({ message, atMs }) => ({ message, atMs }))).to.deep.equal([{ message: found.message, atMs: found.atMs }]);
    });
  }

  for (const wrong of WRONG_MACHINES.filter(({ and }) => and !== undefined)) {
    it(`"${wrong.name}" needs both its mistakes: in the world that finds it, with either alone the promise is kept`, async () => {
      const [found] = (await simulate({ firstSeed: 1, seeds: 200, wrong, stopAfterFailures: 1 })).failures;
      if (found === undefined) return expect.fail('not found in 200 worlds');
      for (const alone of changesOf(wrong))
        expect((await simulate({ firstSeed: found.seed, seeds: 1, workers: 1, wrong: alone })).failures, alone.module).to.deep.equal([]);
    });
  }
});
