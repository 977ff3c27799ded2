import { expect } from 'chai';
import { EPOCH, planWorkload, ROLE, wantedOf, type DeploymentView } from './workload-plan.ts';

const workload = { deployment: 'api', primary_replicas: 3, standby_replicas: 1 };
const run = { runId: 'r', tier: 'automatic', from: 'us-central1', to: 'us-east1', target: null, step: 'PROMOTE' };
const view = (role: string, epoch: number, replicas: number, readyReplicas = replicas, observed = true): DeploymentView => ({
  version: '7',
  annotations: { [ROLE]: role, [EPOCH]: String(epoch) },
  replicas,
  readyReplicas,
  observed,
});

describe('workloads of a region', () => {
  it('are those of a primary where the lease is, and as soon as a run moves it there; of a standby only when another region has it', () => {
    expect(wantedOf('us-east1', { primary: 'us-east1', epoch: 4 })).to.deep.equal({ role: 'primary', epoch: 4 });
    expect(wantedOf('us-east1', { primary: 'us-central1', epoch: 4 })).to.deep.equal({ role: 'standby', epoch: 4 });
    expect(wantedOf('us-east1', { primary: 'us-central1', epoch: 4, run })).to.deep.equal({ role: 'primary', epoch: 4 });
    expect(wantedOf('us-central1', { primary: null, epoch: 5, run }), 'nobody has it yet').to.equal(null);
    expect(wantedOf('us-central1', { primary: null, epoch: 0 }), 'nothing is known').to.equal(null);
  });

  it('are patched where role, epoch or size differ, and waited for until what was rolled out is ready', () => {
    const primary = { role: 'primary', epoch: 4 } as const;
    const patch = { move: 'patch', annotations: { [ROLE]: 'primary', [EPOCH]: '4' }, replicas: 3 };
    expect(planWorkload({ ...view('primary', 4, 3), annotations: {} }, workload, primary)).to.deep.equal(patch);
    expect(planWorkload(view('standby', 3, 1), workload, primary)).to.deep.equal(patch);
    expect(planWorkload(view('primary', 4, 2), workload, primary), 'somebody scaled it').to.deep.equal(patch);
    expect(planWorkload(view('primary', 4, 3, 1), workload, primary)).to.deep.equal({ move: 'wait', missing: 2 });
    expect(planWorkload(view('primary', 4, 3, 3, false), workload, primary), 'the status is of what was before').to.deep.equal({
      move: 'wait',
      missing: 3,
    });
    expect(planWorkload(view('primary', 4, 3), workload, primary)).to.deep.equal({ move: 'none' });
  });

  it('are never written by an older epoch', () => {
    expect(planWorkload(view('primary', 5, 3), workload, { role: 'standby', epoch: 4 })).to.deep.equal({ move: 'passed', epoch: 5 });
  });
});
