import { expect } from 'chai';
import { EngineCluster } from '../testing/engine-cluster.ts';
import { REGIONS, type Region } from '../testing/test-config.ts';
import { Operator } from '../testing/engine-operator.ts';

const [CENTRAL, EAST, EUROPE] = REGIONS;

describe('the whole engine, synchronous', () => {
  let operator: Operator;
  /** Of the primary, as far as the tests have come. The first is 1, but where all programs start at once on a busy machine it may have lost its lease and taken another. */
  let epoch: number;
  before(async () => {
    operator = new Operator(await EngineCluster.prepare('sync'));
    operator.cluster.startAll();
    await operator.untilNormal();
  });
  beforeEach(async () => ({ epoch } = await operator.untilNormal()));
  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(`${operator.cluster.transcript()}\n`);
  });
  after(() => operator?.cluster.stop());

  it('begins with the configured primary, published, led from another region', async () => {
    const view = await operator.untilNormal();
    expect(view).to.deep.include({ primary: CENTRAL, epoch, step: 'OBSERVE' });
    // Written once the primary was seen to serve, which may be after everything is in sync.
    const route = await operator.cluster.until(
      'published',
      () => operator.route(),
      (seen) => (seen as { readonly epoch: number } | null)?.epoch === epoch,
    );
    expect(route).to.deep.equal({ epoch, region: CENTRAL, addresses: ['127.0.1.1', 'fd77::1:10'] });
    const { code, out } = await operator.cluster.command('status');
    expect(code).to.equal(0);
    expect(out).to.contain(`state Normal   primary us-central1   epoch ${epoch}`);
  });

  it('does not fail over for a dead api, nor for a dead leader among controllers', async () => {
    const since = operator.mark;
    await operator.cluster.end('api', CENTRAL, 'SIGKILL');
    const leader = (await operator.untilNormal()).leader as Region;
    await operator.cluster.end('controller', leader, 'SIGKILL');
    await operator.untilSaid(since, 'leader_elected');
    operator.cluster.startProgram('controller', leader);
    operator.cluster.startProgram('api', CENTRAL);
    const after = await operator.untilNormal();
    expect(operator.said(since)).not.to.include('failover_initiated');
    expect(after.epoch).to.equal(epoch);
  });

  it('promotes a standby when the primary stops, moves the name, loses nothing; the old one comes back as a standby', async () => {
    await operator.writeMany(CENTRAL, 'before');
    await operator.untilHeldByAll(CENTRAL);
    const since = operator.mark;
    operator.cluster.signal('database', CENTRAL, 'SIGSTOP');
    const status = await operator.untilPrimary(EAST);
    expect(status).to.deep.include({ epoch: epoch + 1, role: 'primary' });
    await operator.untilSaid(since, 'failover_complete');
    expect(await operator.route()).to.deep.equal({ epoch: epoch + 1, region: EAST, addresses: ['127.0.1.2', 'fd77::2:10'] });
    const order = [
      'primary_suspected',
      'primary_confirmed_down',
      'failover_initiated',
      'epoch_acquired',
      'fence_confirmed',
      'promoted',
      'dns_updated',
      'failover_verified',
      'failover_complete',
    ];
    const said = operator.said(since).filter((action) => order.includes(action));
    expect([...new Set(said)]).to.deep.equal(order);
    await operator.writeMany(EAST, 'after');
    operator.cluster.signal('database', CENTRAL, 'SIGCONT');
    expect(await operator.write(CENTRAL, 'stale')).to.equal(503);
    await operator.untilNormal();
    const old = await operator.cluster.until(
      'answered',
      () => operator.database(CENTRAL),
      (seen) => seen !== null,
    );
    expect(old?.role).to.equal('standby');
    for (const region of REGIONS) await operator.expectNothingLost(region);
  });

  it('hands over under load on switchover --target, and refuses what makes no sense', async () => {
    const ending = new AbortController();
    const writing = operator.writeOn([EAST, CENTRAL], 'load', ending.signal);
    const rehearsed = await operator.cluster.command('switchover', '--target', CENTRAL, '--dry-run');
    expect(rehearsed, rehearsed.out).to.include({ code: 0 });
    expect(rehearsed.out).to.contain(`promote region=${CENTRAL}`);
    const ordered = await operator.cluster.command('switchover', '--target', CENTRAL);
    expect(ordered, ordered.out).to.include({ code: 0 });
    expect(ordered.out).to.contain(`${CENTRAL} is the primary under epoch ${epoch + 1}`);
    await operator.untilNormal();
    ending.abort();
    await writing;
    await operator.expectNothingLost(CENTRAL);
    for (const order of ['switchover', 'failover']) {
      expect(await operator.cluster.command(order, '--target', CENTRAL), order).to.include({ code: 1 });
      expect(await operator.cluster.command(order, '--target', 'mars'), order).to.include({ code: 2 });
    }
    // It is refused in other words where just now nobody has seen one in time, as on a busy machine.
    const healthy = await operator.cluster.until(
      'refused by who sees commits',
      () => operator.cluster.command('failover', '--target', EAST),
      ({ code, out }) => code !== 1 || out.includes('sees commits'),
    );
    expect(healthy).to.include({ code: 1 });
    expect(healthy.out).to.contain('sees commits; a planned move is');
  });

  it('finishes a failover whose leader is killed at any step', async () => {
    for (const [i, step] of ['failover_initiated', 'epoch_acquired', 'fence_confirmed', 'promoted'].entries()) {
      const { primary, epoch: before } = await operator.untilNormal();
      await operator.writeMany(primary as Region, `round-${i}`);
      const since = operator.mark;
      await operator.cluster.end('database', primary as Region, 'SIGKILL');
      const leader = await operator.untilSaid(since, step);
      await operator.cluster.end('controller', leader, 'SIGKILL');
      await operator.untilSaid(since, 'failover_complete');
      const view = await operator.untilView(`under the next epoch after ${step}`, (seen) => seen.epoch > before);
      expect(view.epoch, step).to.equal(before + 1);
      await operator.untilPrimary(view.primary as Region);
      expect(await operator.route(), step).to.deep.include({ epoch: before + 1, region: view.primary });
      operator.cluster.startProgram('database', primary as Region);
      operator.cluster.startProgram('controller', leader);
      await operator.untilNormal();
      await operator.expectNothingLost(view.primary as Region);
    }
  });

  it('promotes nobody while the seal quorum is out of reach, and goes on by itself when it is back', async () => {
    const { primary } = await operator.untilNormal();
    const [first, second] = REGIONS.filter((region) => region !== primary) as [Region, Region];
    const since = operator.mark;
    for (const region of [first, primary as Region]) operator.cluster.signal('database', region, 'SIGSTOP');
    await operator.untilSaid(since, 'awaiting_approval');
    expect(operator.said(since)).not.to.include('failover_initiated');
    await operator.untilView(
      'waiting and degraded',
      (view) => view.epoch === epoch && view.step === 'AWAIT_APPROVAL' && view.state === 'Degraded',
    );
    const { code, out } = await operator.cluster.command('failover', '--target', second);
    expect(code, out).to.equal(1);
    expect(out).to.contain('must be sealed to lose nothing');
    operator.cluster.signal('database', first, 'SIGCONT');
    await operator.untilSaid(since, 'failover_complete');
    operator.cluster.signal('database', primary as Region, 'SIGCONT');
    const view = await operator.untilNormal();
    expect(view.epoch).to.equal(epoch + 1);
    await operator.expectNothingLost(view.primary as Region);
  });

  it('tells its metrics, and every program ends on SIGTERM with code 0', async () => {
    const view = await operator.untilNormal();
    const metrics = await operator.cluster.until(
      'answered',
      () => operator.cluster.ask('controller', view.leader as Region, '/metrics'),
      (seen) => seen !== null,
    );
    expect(metrics?.text).to.contain('coditect_dr_state{state="Normal"} 1').and.to.contain(`coditect_dr_epoch ${view.epoch}`);
    for (const program of ['controller', 'api', 'database'] as const) {
      expect(await operator.cluster.end(program, EUROPE, 'SIGTERM'), program).to.equal(0);
    }
  });
});

describe('the whole engine, asynchronous', () => {
  let operator: Operator;
  before(async () => {
    operator = new Operator(await EngineCluster.prepare('async'));
    operator.cluster.startAll();
    await operator.untilNormal();
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(`${operator.cluster.transcript()}\n`);
  });
  after(() => operator?.cluster.stop());

  it('promotes by itself where the lag is within the objective', async () => {
    const before = await operator.untilNormal();
    const since = operator.mark;
    await operator.cluster.end('database', CENTRAL, 'SIGKILL');
    await operator.untilSaid(since, 'failover_complete');
    const { primary, epoch } = await operator.untilView('under the next epoch', (view) => view.epoch > before.epoch);
    expect([EAST, EUROPE]).to.include(primary);
    expect(epoch).to.equal(before.epoch + 1);
    operator.cluster.startProgram('database', CENTRAL);
    await operator.untilNormal();
  });
});
