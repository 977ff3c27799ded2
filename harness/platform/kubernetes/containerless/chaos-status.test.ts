import { expect } from 'chai';
import type { ChaosObject } from '../kube-object.ts';
import { afterOperation, conditionsOf, desiredPhase } from './chaos-status.ts';

const object = (metadata: Partial<ChaosObject['metadata']>): ChaosObject => ({
  apiVersion: 'chaos-mesh.org/v1alpha1',
  kind: 'NetworkChaos',
  metadata: { name: 'cut', creationTimestamp: '2026-11-27T12:00:00Z', ...metadata },
  spec: {},
});
const created = Date.parse('2026-11-27T12:00:00Z');

describe('what an experiment is to be, and what is said of it', () => {
  it('runs until its duration, counted from its creation, is over', () => {
    expect(desiredPhase(object({}), null, created + 1e9)).to.equal('Run');
    expect(desiredPhase(object({}), 5000, created + 4999)).to.equal('Run');
    expect(desiredPhase(object({}), 5000, created + 5000)).to.equal('Stop');
  });

  it('stops while it is paused, and when it is deleted', () => {
    const pause = 'experiment.chaos-mesh.org/pause';
    expect(desiredPhase(object({ annotations: { [pause]: 'true' } }), null, created)).to.equal('Stop');
    expect(desiredPhase(object({ annotations: { [pause]: 'false' } }), null, created)).to.equal('Run');
    expect(desiredPhase(object({ deletionTimestamp: '2026-11-27T12:00:01Z' }), null, created)).to.equal('Stop');
  });

  it('nothing selected is neither injected nor recovered', () => {
    const said = (selected: boolean, injected: boolean): string =>
      conditionsOf({ selected, injected, paused: false })
        .filter(({ status }) => status === 'True')
        .map(({ type }) => type)
        .join(' ');
    expect(said(false, false)).to.equal('');
    expect(said(true, true)).to.equal('Selected AllInjected');
    expect(said(true, false)).to.equal('Selected AllRecovered');
  });

  it('an operation that failed counts as none, and stays in the record with its reason', () => {
    const record = { id: 'coditect/db-0', selectorKey: '.', phase: 'Not Injected', injectedCount: 0, recoveredCount: 0 };
    const failed = afterOperation([record], { operation: 'Apply', ok: false, at: 'then', message: 'nft refused' });
    expect(failed[0]).to.include({ phase: 'Not Injected', injectedCount: 0 });
    expect(failed[0]?.events).to.deep.equal([{ operation: 'Apply', type: 'Failed', timestamp: 'then', message: 'nft refused' }]);
    const applied = afterOperation(failed, { operation: 'Apply', ok: true, at: 'later' });
    expect(afterOperation(applied, { operation: 'Recover', ok: true, at: 'last' })[0]).to.include({
      phase: 'Not Injected',
      injectedCount: 1,
      recoveredCount: 1,
    });
  });
});
