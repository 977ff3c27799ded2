import { expect } from 'chai';
import { NOTES_LEDGER } from '../testing/notes/notes-description.ts';
import { templatesShape } from '../workload/dialect/template-shape.ts';
import { load } from './scenarios.ts';
import { notPossible, type Limits } from './system-may.ts';

const scenario = (name: string, expected: object = {}, mustRecover: readonly string[] = ['outside']) => {
  const [one] = load([`scenarios/${name}.yaml`]);
  if (one === undefined) throw new Error('no scenario');
  return { ...one, scenario: { ...one.scenario, expect: { ...one.scenario.expect, mustRecover, ...expected } } };
};
const service = { ledger: templatesShape.parse(NOTES_LEDGER) };
const clusters: Limits = { file: 'system.yaml', clients: ['outside'], faults: true, service };

describe('what a scenario may ask of a system that is there already', function () {
  this.timeout(60_000);

  it('of a service with an API of its own in clusters: faults, but not where it serves from, nor anything of the engine', () => {
    expect(notPossible(clusters, [scenario('database-kill', { failover: 'allowed' })])).to.deep.equal([]);
    expect(notPossible(clusters, [scenario('database-kill')])).to.deep.equal([
      'scenarios/database-kill.yaml: expects `failover: one`, but which region serves is not known of a service with an API of its own (system.yaml); say `failover: allowed`',
    ]);
    expect(notPossible(clusters, [scenario('switchover', { failover: 'allowed' })]).join()).to.match(
      /system\.yaml has an API of its own, where a scenario can only observe, deleteAll, inject, awaitRecovery, heal; it asks for order/,
    );
  });

  it('nothing is deleted where no template says how, and only clients that there are recover', () => {
    const { delete: _, ...keeping } = NOTES_LEDGER;
    const limits = { ...clusters, service: { ledger: templatesShape.parse(keeping) } };
    const [, second] = notPossible(limits, [scenario('mass-delete', { failover: 'allowed' }, ['us-west1'])]);
    expect(notPossible(limits, [scenario('mass-delete', { failover: 'allowed' })])[0]).to.match(/it asks for backup, .*delete-all/);
    expect(second).to.equal('system.yaml: has no client us-west1, of which scenarios/mass-delete.yaml says mustRecover');
  });

  it('by addresses alone: nothing that breaks', () => {
    const addressed: Limits = { ...clusters, faults: false, service: undefined };
    expect(notPossible(addressed, [scenario('null')])).to.deep.equal([]);
    expect(notPossible(addressed, [scenario('database-kill')])).to.deep.equal([
      'scenarios/database-kill.yaml: system.yaml is known by its addresses, where a scenario can only observe, deleteAll; it asks for inject, await-recovery, heal',
    ]);
  });
});
