import { expect } from 'chai';
import { UNKNOWN_LAG_MS } from '../replication/lag.ts';
import type { DatabaseStatus } from '../server/control-messages.ts';
import { assessHealth, type Seen } from './health.ts';

const standby = { matchIndex: 9, lagEntries: 0, lagMs: 0, ageMs: 5, inSync: true };
const primary: DatabaseStatus = {
  region: 'a',
  incarnation: 'i',
  role: 'primary',
  epoch: 1,
  sealedEpoch: 1,
  writable: true,
  lease: { remainingMs: 1000 },
  lastIndex: 9,
  lastEpoch: 1,
  commitIndex: 9,
  appliedIndex: 9,
  mode: 'sync',
  syncSet: ['b', 'c'],
  w: 1,
  standbys: { b: standby, c: standby },
};
const assess = (seen: Seen) => assessHealth(seen, { ownLatencyMs: 0.1, databaseLatencyMs: 2 }, { rpoMs: 5000, silentMs: 600 });
const of = (
  over: Partial<DatabaseStatus>,
  upstream: { region: string; epoch: number; lagEntries: number; ageMs: number } | null = null,
): Seen => ({
  kind: 'answered',
  status: { ...primary, ...over, upstream },
});

describe('health of a region', () => {
  it('is Healthy with score 1 where all three checks are', () => {
    const health = assess(of({}));
    expect(health).to.deep.include({ status: 'Healthy', score: 1 });
    expect(health.checks.map(({ name, status }) => [name, status])).to.deep.equal([
      ['api', 'Healthy'],
      ['database', 'Healthy'],
      ['replication', 'Healthy'],
    ]);
  });
  it('is Failed where the database does not answer, whatever the average says', () => {
    const health = assess({ kind: 'silent', reason: 'timeout-sent' });
    expect(health.status).to.equal('Failed');
    expect(health.score).to.equal(0.333);
    expect(health.checks[1]).to.include({ name: 'database', status: 'Failed', detail: 'timeout-sent' });
  });
  it('is Degraded where a primary does not serve, or a database is starting', () => {
    expect(assess(of({ writable: false })).status).to.equal('Degraded');
    expect(assess(of({ role: 'starting', writable: false })).status).to.equal('Degraded');
  });
  it('is Degraded where a standby is out of the set or later than the recovery point allows, and says which', () => {
    const health = assess(of({ standbys: { b: standby, c: { ...standby, lagMs: 6000, lagEntries: 70 } } }));
    expect(health.status).to.equal('Degraded');
    expect(health.checks[2]?.detail).to.match(/^c: 70 entries, 6000 ms behind/);
    const unknown = assess(of({ standbys: { b: standby, c: { ...standby, lagMs: UNKNOWN_LAG_MS, lagEntries: 70 } } }));
    expect(unknown.checks[2]?.detail).to.match(/^c: 70 entries, an unknown number of ms behind/);
    expect(assess(of({ standbys: { b: { ...standby, inSync: false }, c: standby } })).checks[2]?.status).to.equal('Degraded');
  });
  it('fails the replication check, not the region, where no standby is left', () => {
    const gone = { ...standby, inSync: false };
    const health = assess(of({ standbys: { b: gone, c: gone } }));
    expect(health.checks[2]?.status).to.equal('Failed');
    expect(health.status).to.equal('Degraded');
  });
  it('judges a standby by when it last heard a primary', () => {
    const up = { region: 'b', epoch: 1, lagEntries: 0, ageMs: 50 };
    expect(assess(of({ role: 'standby', writable: false }, up)).status).to.equal('Healthy');
    expect(assess(of({ role: 'standby', writable: false }, { ...up, ageMs: 700 })).status).to.equal('Degraded');
    expect(assess(of({ role: 'standby', writable: false })).status).to.equal('Degraded');
  });
});
