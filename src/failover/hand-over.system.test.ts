import { expect } from 'chai';
import { EngineCluster } from '../testing/engine-cluster.ts';
import { Operator } from '../testing/engine-operator.ts';
import { PATIENT, type Region } from '../testing/test-config.ts';

/** Longer than this test waits for anything: whoever leads next did not wait until the record was old. */
const NEVER_MS = 600_000;

describe('a controller that leads and is ended with SIGTERM', () => {
  let operator: Operator;
  before(async () => {
    operator = new Operator(await EngineCluster.prepare('sync', { ...PATIENT, leaderTakeoverMs: NEVER_MS }));
    operator.cluster.startAll();
    await operator.untilNormal();
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(`${operator.cluster.transcript()}\n`);
  });
  after(() => operator?.cluster.stop());

  it('hands the leadership over: a rollout of all controllers costs nobody the wait for an old record', async () => {
    const first = await operator.untilNormal();
    const since = operator.mark;
    for (let round = 1; round <= 2; round++) {
      const before = await operator.untilNormal();
      const leader = before.leader as Region;
      expect(await operator.cluster.end('controller', leader, 'SIGTERM'), 'exit code').to.equal(0);
      await operator.cluster.until(
        'led by another',
        () => operator.view(),
        (view) => view?.leads === true && view.leader !== leader && view.leader !== before.primary,
      );
      operator.cluster.startProgram('controller', leader);
    }
    const { epoch } = await operator.untilNormal();
    expect(epoch, 'nothing else came of it').to.equal(first.epoch);
    expect(operator.said(since)).not.to.include('failover_initiated');
  });
});
