import { expect } from 'chai';
import type { ControllerStatus } from '../health/controller-status.ts';
import { ControllerMetrics } from './controller-metrics.ts';

const status: ControllerStatus = {
  region: 'us-east1',
  leader: 'us-east1',
  leads: true,
  state: 'Degraded',
  step: 'AWAIT_APPROVAL',
  primary: 'us-central1',
  epoch: 4,
  observers: { 'us-east1': { verdict: 'suspect', ageMs: 3 } },
  reasons: [],
};

describe("the controller's metrics", () => {
  it('tell a pause and what a failover waits for, and stop when it is over', async () => {
    const metrics = new ControllerMetrics();
    const waiting = await metrics.text({
      ...status,
      paused: { by: 'anna', why: '', since: '', until: null },
      awaiting: { blocker: 'paused', reason: 'paused by anna', estimatedLossSeconds: null },
    });
    expect(waiting).to.contain('coditect_dr_paused 1').and.to.contain('coditect_dr_awaiting_approval{blocker="paused"} 1');
    const over = await metrics.text(status);
    expect(over).to.contain('coditect_dr_paused 0').and.not.to.contain('blocker="paused"');
  });

  it('call the leader one that leads itself: its region may have another controller', async () => {
    expect(await new ControllerMetrics().text({ ...status, leads: false })).to.contain('coditect_dr_leader 0');
  });
});
