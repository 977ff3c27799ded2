import { expect } from 'chai';
import { nothingKnown, takeRecord } from '../failover/knowledge.ts';
import type { SeenStatus } from '../failover/state.ts';
import type { DatabaseStatus } from '../server/control-messages.ts';
import { controllerStatus, type StatusFacts } from './status.ts';

const REGIONS = ['us-central1', 'us-east1'];
const IN_SYNC = { matchIndex: 1, lagEntries: 0, lagMs: 0, ageMs: 5, inSync: true };

/** As far as the status looks at it. */
const database = (of: Partial<DatabaseStatus>): SeenStatus => ({
  status: { role: 'standby', writable: false, lease: null, standbys: {}, ...of } as DatabaseStatus,
  askedAtMs: 90,
});
const PRIMARY = database({ role: 'primary', writable: true, standbys: { 'us-east1': IN_SYNC } });

/** What a controller says that knows that us-central1 has the lease, and has seen this of its database. */
function said(central: SeenStatus): Pick<ReturnType<typeof controllerStatus>, 'state' | 'reasons'> {
  const lease = { epoch: 1, holder: 'us-central1', incarnation: 'a', seq: 0 };
  const facts: StatusFacts = {
    region: 'us-east1',
    regions: REGIONS,
    leading: true,
    knowledge: takeRecord(nothingKnown(0), 'lease', { value: lease, revision: 2 }, 80),
    machine: { kind: 'observe' } as StatusFacts['machine'],
    votes: new Map(),
    databases: new Map([
      ['us-central1', central],
      ['us-east1', database({})],
    ]),
    freshMs: 1000,
    nowMs: 100,
    wallMs: 0,
  };
  const { state, reasons } = controllerStatus(facts);
  return { state, reasons };
}

describe('the state of the system', () => {
  it('is Normal where the primary accepts writes and every standby is in sync', () => {
    expect(said(PRIMARY)).to.deep.equal({ state: 'Normal', reasons: [] });
  });
  it('is not Normal where a standby is not in sync, or the primary accepts no writes', () => {
    expect(said(database({ ...PRIMARY.status, standbys: { 'us-east1': { ...IN_SYNC, inSync: false } } }))).to.deep.equal({
      state: 'Degraded',
      reasons: ['us-east1 is not in sync'],
    });
    expect(said(database({ ...PRIMARY.status, writable: false })).reasons).to.deep.equal(['us-central1 does not accept writes']);
  });
  it('is not Normal where the holder of the lease was not seen as primary yet: nobody knows whether it serves, nor what its standbys have', () => {
    for (const role of ['starting', 'standby'] as const)
      expect(said(database({ role }))).to.deep.equal({ state: 'Degraded', reasons: ['us-central1 was not seen as primary yet'] });
  });
});
