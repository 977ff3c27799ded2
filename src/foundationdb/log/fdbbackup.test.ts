import { expect } from 'chai';
import { EngineError } from '../../platform/errors.ts';
import { readStatus, runningAgents } from './fdbbackup.ts';

/** As 7.3.79 says it. */
const stated = (more: object): string => JSON.stringify({ SchemaVersion: '1.0.0', BackupAgentsPaused: false, Tag: 'cdr', ...more });

describe('the status of fdbbackup', () => {
  it('is read: whether it logs already, where to, and how far all is written', () => {
    const url = 'file:///a/files/backup-2026-11-28-16-47-23.412769';
    expect(readStatus(stated({}))).to.deep.equal({ state: 'none', url: null, logEnd: null });
    const submitted = { Name: 'Submitted', Completed: false, Running: true };
    expect(readStatus(stated({ Status: submitted, DestinationURL: url }))).to.deep.equal({ state: 'starting', url, logEnd: null });
    const running = { Status: { Name: 'RunningDifferentially', Completed: false, Running: true }, DestinationURL: url };
    expect(readStatus(stated({ ...running, LatestLogEnd: { Version: 41337856, EpochSeconds: 1795884061 } }))).to.deep.equal({
      state: 'running',
      url,
      logEnd: 41337856,
    });
    const aborted = { Status: { Name: 'Aborted', Completed: false, Running: false }, DestinationURL: url };
    expect(readStatus(stated(aborted))).to.deep.equal({ state: 'none', url: null, logEnd: null });
  });

  it('is no status where it says nothing, half of one, or another kind', () => {
    for (const text of ['', '{"SchemaVersion":"1.0', '{}', '{"SchemaVersion":"2.0.0"}'])
      expect(() => readStatus(text), text)
        .to.throw(EngineError)
        .with.property('code', 'database-unavailable');
  });

  it('of the cluster tells how many agents there are', () => {
    expect(runningAgents(JSON.stringify({ cluster: { layers: { backup: { instances_running: 2 }, _valid: true } } }))).to.equal(2);
    for (const none of ['', '{', '{}', JSON.stringify({ cluster: { layers: { _valid: true } } })])
      expect(runningAgents(none), none).to.equal(0);
  });
});
