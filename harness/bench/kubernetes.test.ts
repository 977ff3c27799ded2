import { expect } from 'chai';
import { compare, compares, kubernetesTable, type Played } from './kubernetes.ts';

type Result = Played['result'];

function run(platform: 'local' | 'kubernetes', upperMs: number | null, over: { outcome?: string; sha?: string } = {}): Played {
  const { outcome = 'pass', sha = 'abc' } = over;
  const recovery = upperMs === null ? { state: 'no-outage' } : { state: 'recovered', lowerMs: upperMs - 100, upperMs };
  const faults = [{ manifestSha256: sha, injectionLatencyMs: 20 }];
  return { scenario: 'region-loss', platform, result: { verdict: { outcome }, recovery, faults } as unknown as Result };
}
const locals = [3000, 3200, 3500].map((ms) => run('local', ms));

describe('both platforms beside each other', () => {
  it('the same verdicts, manifests, and recovery within what one platform differs from itself: they compare', () => {
    const all = compare([...locals, ...[3100, 3300, 3450].map((ms) => run('kubernetes', ms))]);
    expect(compares(all)).to.equal(true);
    expect(all[0]).to.include({ differenceMs: 100, doubtMs: 350 });
    expect(kubernetesTable(all)).to.include('verdicts the same, manifests byte-identical, medians differ by 0.10 s');
  });

  it('another verdict, another manifest, a recovery beyond the doubt, runs that are missing, nothing: they do not', () => {
    const others = (over: object, ms = 3200): Played[] => [1, 2, 3].map(() => run('kubernetes', ms, over));
    expect(compares(compare([...locals, ...others({ outcome: 'fail' })]))).to.equal(false);
    expect(compares(compare([...locals, ...others({ sha: 'other' })]))).to.equal(false);
    expect(compares(compare([...locals, ...others({}, 3600)]))).to.equal(false);
    expect(compares(compare(locals))).to.equal(false);
    expect(compares(compare([]))).to.equal(false);
  });

  it('without an outage there is no time to compare', () => {
    expect(compares(compare([run('local', null), run('kubernetes', null)]))).to.equal(true);
  });
});
