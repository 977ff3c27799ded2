import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { PastRun } from '../arbiter/arbiter.ts';
import { systemClock } from '../platform/clock.ts';
import { EngineCluster } from '../testing/engine-cluster.ts';
import { PATIENT, REGIONS, type Region } from '../testing/test-config.ts';
import { Operator } from '../testing/engine-operator.ts';

const [CENTRAL, EAST, EUROPE] = REGIONS;
/** A command that comes right after a move must come before this, on a busy machine too. */
const STABLE_MS = 15_000;

async function history(operator: Operator): Promise<readonly PastRun[]> {
  const { code, out } = await operator.cluster.command('history', '--json');
  expect(code, out).to.equal(0);
  return (JSON.parse(out) as { readonly runs: readonly PastRun[] }).runs;
}

describe('planned moves and maintenance on a whole engine', () => {
  let operator: Operator;
  before(async () => {
    // The old primary is stopped while a switchover prepares: its last sample has to count until then.
    operator = new Operator(await EngineCluster.prepare('sync', { ...PATIENT, suspectAfterMs: 4000, failbackStableMs: STABLE_MS }));
    operator.cluster.startAll();
    await operator.untilNormal();
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(`${operator.cluster.transcript()}\n`);
  });
  after(() => operator?.cluster.stop());

  it('fails back when the first region has been in sync for long enough, not before, and tells the history of both', async () => {
    const { epoch } = await operator.untilNormal();
    expect(await operator.cluster.command('failback')).to.include({ code: 1 });
    const away = await operator.cluster.command('switchover', '--target', EAST, '--by', 'anna');
    expect(away, away.out).to.include({ code: 0 });
    const early = await operator.cluster.command('failback');
    expect(early, early.out).to.include({ code: 1 });
    const { out } = await operator.cluster.until(
      'moved back',
      () => operator.cluster.command('failback', '--json'),
      ({ code }) => code === 0,
    );
    expect(out).to.contain(`${CENTRAL} is the primary under epoch ${epoch + 2}`);
    await operator.untilNormal();
    const runs = await history(operator);
    expect(runs.map(({ tier, outcome, from, to, epoch }) => [tier, outcome, from, to, epoch])).to.deep.equal([
      ['switchover', 'DONE', CENTRAL, EAST, epoch + 1],
      ['failback', 'DONE', EAST, CENTRAL, epoch + 2],
    ]);
    expect(runs[0]?.by).to.contain('anna').and.to.contain('operator.');
    expect(runs[0]?.rejoinedAt, 'the old primary is back').to.be.a('string');
    expect(runs[0]?.fencedBy).to.equal('holder');
    const steps = ['PREPARE', 'ACQUIRE', 'FENCE_AND_SEAL', 'PROMOTE', 'VERIFY_DB', 'ROUTE', 'VERIFY_E2E', 'STABILISE', 'DONE'];
    expect(runs[0]?.steps.map(({ step }) => step)).to.deep.equal(steps);
  });

  it('undoes a switchover whose old primary does not confirm: it goes on under a new epoch', async () => {
    const { epoch } = await operator.untilNormal();
    const since = operator.mark;
    await operator.writeMany(CENTRAL, 'before');
    const ordered = operator.cluster.command('switchover', '--target', EAST);
    await operator.untilSaid(since, 'failover_initiated');
    operator.cluster.signal('database', CENTRAL, 'SIGSTOP');
    await operator.untilSaid(since, 'failover_undoing');
    operator.cluster.signal('database', CENTRAL, 'SIGCONT');
    const { code, out } = await ordered;
    expect(code, out).to.equal(1);
    expect(out)
      .to.contain(`${CENTRAL} goes on as the primary under epoch ${epoch + 1}`)
      .and.to.contain('did not confirm its fence');
    await operator.untilNormal();
    await operator.untilPrimary(CENTRAL);
    await operator.writeMany(CENTRAL, 'after');
    expect(await operator.route()).to.deep.include({ epoch: epoch + 1, region: CENTRAL });
    expect((await history(operator)).at(-1)).to.deep.include({ tier: 'switchover', outcome: 'UNDONE', to: CENTRAL });
    await operator.expectNothingLost(CENTRAL);
  });

  it('undoes a switchover whose target does not get everything', async () => {
    const { epoch } = await operator.untilNormal();
    const since = operator.mark;
    const ordered = operator.cluster.command('switchover', '--target', EAST);
    await operator.untilSaid(since, 'failover_initiated');
    operator.cluster.signal('database', EAST, 'SIGSTOP');
    await operator.untilSaid(since, 'failover_undone');
    operator.cluster.signal('database', EAST, 'SIGCONT');
    const { code, out } = await ordered;
    expect(code, out).to.equal(1);
    expect(out)
      .to.contain(`${CENTRAL} goes on as the primary under epoch ${epoch + 1}`)
      .and.to.contain('did not get everything');
    await operator.untilNormal();
  });

  it('makes a failover of a switchover whose old primary dies', async () => {
    const since = operator.mark;
    await operator.writeMany(CENTRAL, 'dying');
    const ordered = operator.cluster.command('switchover', '--target', EAST);
    await operator.untilSaid(since, 'failover_initiated');
    await operator.cluster.end('database', CENTRAL, 'SIGKILL');
    const { code, out } = await ordered;
    expect(operator.said(since)).to.include('failover_escalated');
    operator.cluster.startProgram('database', CENTRAL);
    const { primary } = await operator.untilNormal();
    // A failover takes whoever has everything and is sealed first: on a busy machine that need not be the one that was ordered.
    expect(code, out).to.equal(primary === EAST ? 0 : 1);
    expect(primary).not.to.equal(CENTRAL);
    for (const region of REGIONS) await operator.expectNothingLost(region);
    if (primary !== EAST) expect(await operator.cluster.command('switchover', '--target', EAST)).to.include({ code: 0 });
    await operator.untilNormal();
  });

  it('does not fail over while paused, says so, and does when it is resumed', async () => {
    const since = operator.mark;
    const paused = await operator.cluster.command('pause', '--why', 'new switches', '--for', '1h', '--by', 'anna');
    expect(paused, paused.out).to.include({ code: 0 });
    await operator.cluster.end('database', EAST, 'SIGKILL');
    await operator.untilSaid(since, 'awaiting_approval');
    const view = await operator.untilAwaiting('paused');
    expect(view).to.deep.include({ step: 'AWAIT_APPROVAL', primary: EAST });
    expect(view.paused?.by).to.contain('anna');
    const { out } = await operator.cluster.command('status');
    expect(out).to.contain('paused by anna').and.to.contain('new switches');
    expect(operator.said(since)).not.to.include('failover_initiated');
    expect(await operator.cluster.command('resume')).to.include({ code: 0 });
    await operator.untilSaid(since, 'failover_complete');
    expect(await operator.cluster.command('resume'), 'nothing is paused').to.include({ code: 1 });
    operator.cluster.startProgram('database', EAST);
    await operator.untilNormal();
  });

  it('fails over in a pause when an operator approves it', async () => {
    const since = operator.mark;
    const { primary, epoch } = await operator.untilNormal();
    await operator.cluster.command('pause', '--why', 'a drill');
    await operator.cluster.end('database', primary as Region, 'SIGKILL');
    await operator.untilSaid(since, 'awaiting_approval');
    const approved = await operator.cluster.command('approve', '--by', 'anna');
    expect(approved, approved.out).to.include({ code: 0 });
    expect((await history(operator)).at(-1)).to.deep.include({ outcome: 'DONE', from: primary, epoch: epoch + 1 });
    expect((await history(operator)).at(-1)?.by).to.contain('anna');
    expect(await operator.cluster.command('resume')).to.include({ code: 0 });
    operator.cluster.startProgram('database', primary as Region);
    await operator.untilNormal();
  });
});

describe('an engine with a block period and a program that may veto', () => {
  let operator: Operator;
  let folder: string;
  let answer: (script: string) => void;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'coditect-veto-'));
    const program = join(folder, 'veto');
    answer = (script) => {
      writeFileSync(program, `#!/bin/sh\n${script}\n`);
      chmodSync(program, 0o755);
    };
    answer('cat >&2; exit 3');
    const policy = { ...PATIENT, antiFlapMs: 3_600_000, vetoHoldsMs: 200 };
    operator = new Operator(await EngineCluster.prepare('sync', policy, { hooks: { before_failover: { program } } }));
    operator.cluster.startAll();
    await operator.untilNormal();
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(`${operator.cluster.transcript()}\n`);
  });
  after(async () => {
    await operator?.cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('waits while the program says no, with what it said, and goes on when it says yes', async () => {
    const since = operator.mark;
    await operator.cluster.end('database', CENTRAL, 'SIGKILL');
    await operator.untilSaid(since, 'awaiting_approval');
    const view = await operator.untilAwaiting('veto');
    expect(view.awaiting?.reason).to.contain('vetoed').and.to.contain(`"from":"${CENTRAL}"`);
    expect(operator.said(since)).not.to.include('failover_initiated');
    answer('exit 0');
    await operator.untilSaid(since, 'failover_complete');
    operator.cluster.startProgram('database', CENTRAL);
    await operator.untilNormal();
  });

  it('lets no second automatic failover begin before an operator acknowledged the first', async () => {
    const since = operator.mark;
    const { primary } = await operator.untilNormal();
    await operator.cluster.end('database', primary as Region, 'SIGKILL');
    await operator.untilSaid(since, 'awaiting_approval');
    await operator.untilAwaiting('flapping');
    expect(operator.said(since)).not.to.include('failover_initiated');
    expect(await operator.cluster.command('acknowledge')).to.include({ code: 0 });
    await operator.untilSaid(since, 'failover_complete');
    expect(operator.said(since)).to.include('failover_verified');
  });

  it('ends with what the regions have, nothing lost', async () => {
    await operator.writeMany(EUROPE, 'end');
    const view = await operator.untilView('with a primary', ({ primary }) => primary !== null);
    await operator.expectNothingLost(view.primary as Region);
  });
});

describe('an engine with two controllers a region', () => {
  let operator: Operator;
  before(async () => {
    operator = new Operator(await EngineCluster.prepare('sync', PATIENT, {}, { secondControllers: true }));
    operator.cluster.startAll();
    for (const region of REGIONS) operator.cluster.startSecondController(region);
    await operator.untilNormal();
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(`${operator.cluster.transcript()}\n`);
  });
  after(() => operator?.cluster.stop());

  it('is one observer a region: with the controllers of two regions gone nobody fails over', async () => {
    const since = operator.mark;
    // What is left are two controllers of one region: two votes, but one observer of three.
    for (const region of [CENTRAL, EAST]) operator.cluster.signal('controller', region, 'SIGSTOP');
    for (const region of [CENTRAL, EAST]) operator.cluster.signalSecondController(region, 'SIGSTOP');
    await operator.cluster.until(
      'led from Europe',
      async () => (await operator.controller(EUROPE))?.leader,
      (leader) => leader === EUROPE,
    );
    operator.cluster.signal('database', CENTRAL, 'SIGSTOP');
    await operator.cluster.until(
      'suspected there',
      async () => (await operator.controller(EUROPE))?.observers[EUROPE]?.verdict,
      (verdict) => verdict === 'suspect',
    );
    // Time enough for the other one's vote, and for a failover if two votes of one region were a quorum.
    await systemClock.sleep(2 * PATIENT.confirmMs);
    expect(operator.said(since)).not.to.include('primary_suspected');
    operator.cluster.signal('database', CENTRAL, 'SIGCONT');
    for (const region of [CENTRAL, EAST]) operator.cluster.signal('controller', region, 'SIGCONT');
    for (const region of [CENTRAL, EAST]) operator.cluster.signalSecondController(region, 'SIGCONT');
    await operator.untilNormal();
  });

  it('fails over with one controller of each region gone, the leader among them', async () => {
    // Not the first one, where that stood still for longer than its lease just now.
    const from = (await operator.untilNormal()).primary as Region;
    await operator.writeMany(from, 'before');
    const since = operator.mark;
    for (const region of REGIONS) await operator.cluster.end('controller', region, 'SIGKILL');
    await operator.cluster.end('database', from, 'SIGKILL');
    await operator.untilSaid(since, 'failover_complete');
    const status = await operator.cluster.command('status', '--json');
    const { primary } = JSON.parse(status.out) as { readonly primary: Region };
    expect(primary).not.to.equal(from);
    await operator.expectNothingLost(primary);
    for (const region of REGIONS) operator.cluster.startProgram('controller', region);
    operator.cluster.startProgram('database', from);
    await operator.untilNormal();
  });
});
