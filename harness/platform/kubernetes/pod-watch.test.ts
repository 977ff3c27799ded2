import { expect } from 'chai';
import type { ContainerStatus, KubePod } from './kube-object.ts';
import { PodNewsReader } from './pod-watch.ts';

function pod(uid: string, over: Partial<ContainerStatus> | undefined, deletionTimestamp?: string): KubePod {
  const status = { name: 'db', ready: false, restartCount: 0, image: '', imageID: '', state: {}, ...over };
  return {
    metadata: { name: 'db-0', uid, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
    spec: { containers: [{ name: 'db', image: '' }] },
    status: { containerStatuses: over === undefined ? [] : [status] },
  };
}
const running = (pid: number, more: Partial<ContainerStatus> = {}): Partial<ContainerStatus> => ({
  containerID: `process://${pid}`,
  state: { running: { startedAt: '' } },
  ...more,
});
const end = (pid: number) => ({ exitCode: 137, signal: 9, containerID: `process://${pid}`, finishedAt: '' });

describe('what happened to pods, from their objects', () => {
  it('tells start, readiness, end and restart of a container', () => {
    const reader = new PodNewsReader();
    const tell = (state: Partial<ContainerStatus>) => reader.read({ change: 'changed', object: pod('a', state) }, false).news;
    expect(tell(running(7))).to.deep.equal([{ change: 'started', pid: 7 }]);
    expect(tell(running(7, { ready: true }))).to.deep.equal([{ change: 'ready', pid: 7 }]);
    expect(tell({ containerID: 'process://7', state: { terminated: end(7) } })).to.deep.equal([
      { change: 'exited', exitCode: null, signal: 'SIGKILL', pid: 7 },
    ]);
    expect(tell(running(8, { lastState: { terminated: end(7) } }))).to.deep.equal([{ change: 'started', pid: 8 }]);
  });

  it('a failed pod, in which another image stands in for the program, has not begun again until the program has', () => {
    const reader = new PodNewsReader();
    const tell = (state: Partial<ContainerStatus>) => reader.read({ change: 'changed', object: pod('a', state) }, false).news;
    tell(running(7, { image: 'notes:1', ready: true }));
    const standIn = running(8, { image: 'gcr.io/google-containers/pause:latest', ready: true, lastState: { terminated: end(7) } });
    expect(tell(standIn).map(({ change, pid }) => [change, pid])).to.deep.equal([['exited', 7]]);
    expect(tell(standIn)).to.deep.equal([]);
    const again = tell(running(9, { image: 'notes:1', lastState: { terminated: end(8) } }));
    expect(again.map(({ change, pid }) => [change, pid])).to.deep.equal([
      ['exited', 8],
      ['started', 9],
    ]);
  });

  it('an end that nobody saw is told by the last state of what followed', () => {
    const reader = new PodNewsReader();
    reader.read({ change: 'appeared', object: pod('a', running(7, { ready: true })) }, true);
    const { news } = reader.read({ change: 'changed', object: pod('a', running(8, { lastState: { terminated: end(7) } })) }, false);
    expect(news.map(({ change, pid }) => [change, pid])).to.deep.equal([
      ['exited', 7],
      ['started', 8],
    ]);
  });

  it('what ended before anybody followed is no news', () => {
    const reader = new PodNewsReader();
    const { news } = reader.read({ change: 'appeared', object: pod('a', running(8, { lastState: { terminated: end(7) } })) }, true);
    expect(news.map(({ change }) => change)).to.deep.equal(['started']);
  });

  it('a pod that is taken away outright leaves a process whose end has to be looked for', () => {
    const reader = new PodNewsReader();
    reader.read({ change: 'appeared', object: pod('a', running(7)) }, false);
    expect(reader.read({ change: 'gone', object: pod('a', running(7)) }, false)).to.deep.equal({
      news: [{ change: 'killed', pid: 7 }],
      orphan: 7,
    });
  });

  it('one that ended within its grace period does not', () => {
    const reader = new PodNewsReader();
    reader.read({ change: 'appeared', object: pod('a', running(7)) }, false);
    reader.read({ change: 'changed', object: pod('a', running(7), 'now') }, false);
    const last = { containerID: 'process://7', state: { terminated: end(7) } };
    reader.read({ change: 'changed', object: pod('a', last, 'now') }, false);
    expect(reader.read({ change: 'gone', object: pod('a', last, 'now') }, false)).to.deep.equal({ news: [] });
  });
});
