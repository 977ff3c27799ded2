import { expect } from 'chai';
import { noteLag, type Lag, type LagSample } from './lag.ts';

function after(...samples: readonly LagSample[]): Lag | null {
  return samples.reduce<Lag | null>(noteLag, null);
}

describe('lag of the other region', () => {
  it('believes what is told within a generation, also when it is much', () => {
    const lag = after({ generation: 2, seconds: 0.4, atMs: 0 }, { generation: 2, seconds: 90, atMs: 1000 });
    expect(lag?.seconds).to.equal(90);
  });

  it('does not believe the jump of versions of a recovery', () => {
    // Measured right after a region was added again: 100.06 s, which is 1e8 versions.
    const lag = after({ generation: 2, seconds: 0.4, atMs: 0 }, { generation: 4, seconds: 100.06, atMs: 3000 });
    expect(lag?.seconds).to.equal(null);
  });

  it('goes on not believing it until it is possible again', () => {
    const jump = { generation: 4, seconds: 100.06 };
    const lag = after({ generation: 2, seconds: 0.4, atMs: 0 }, { ...jump, atMs: 3000 }, { ...jump, atMs: 4000 });
    expect(lag?.seconds).to.equal(null);
    expect(noteLag(lag, { generation: 4, seconds: 4.2, atMs: 5000 })?.seconds).to.equal(4.2);
  });

  it('believes across a recovery what can have fallen behind meanwhile', () => {
    const lag = after({ generation: 2, seconds: 0.4, atMs: 0 }, { generation: 4, seconds: 22, atMs: 24_000 });
    expect(lag?.seconds).to.equal(22);
  });

  it('takes the jump of a forced recovery, a week of versions, for no lag', () => {
    const lag = after({ generation: 2, seconds: 1, atMs: 0 }, { generation: 6, seconds: 600_000.16, atMs: 20_000 });
    expect(lag?.seconds).to.equal(null);
  });

  it('is not known where the status does not tell it: absent is not 0', () => {
    expect(after({ generation: 2, seconds: 3, atMs: 0 }, { generation: 2, seconds: null, atMs: 1000 })?.seconds).to.equal(null);
    expect(after({ generation: 2, seconds: 3, atMs: 0 }, { generation: null, seconds: 0, atMs: 1000 })?.seconds).to.equal(null);
    expect(after({ generation: null, seconds: 3, atMs: 0 })).to.equal(null);
  });

  it('is as good as none where the other region was asked a moment later and told more; one far ahead is not believed', () => {
    // Measured with two idle regions: -0.000001 in one status of fourteen, and a failback refused since nobody knew the lag for that moment.
    expect(after({ generation: 2, seconds: 0.01, atMs: 0 }, { generation: 2, seconds: -0.000001, atMs: 1000 })?.seconds).to.equal(0.000001);
    expect(after({ generation: 2, seconds: -4, atMs: 0 })?.seconds).to.equal(4);
    expect(after({ generation: 2, seconds: -100.06, atMs: 0 })?.seconds).to.equal(null);
    expect(after({ generation: 2, seconds: 0.4, atMs: 0 }, { generation: 4, seconds: -4, atMs: 1000 })?.seconds).to.equal(4);
  });
});
