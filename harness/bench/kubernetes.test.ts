import { expect } from 'chai';
import { toResultDocument } from '../report/result.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { SIDE_BY_SIDE, sideRun, type SideRun } from './kubernetes.ts';
import { compare, compares, kubernetesTable } from './kubernetes-table.ts';

const SAMPLE = sideRun('region-loss', toResultDocument(sampleRun({})), 1.5);

let count = 0;
function run(platform: SideRun['platform'], upperMs: number | null, over: Partial<SideRun> = {}): SideRun {
  const recovery = upperMs === null ? null : { lowerMs: upperMs - 100, upperMs };
  const of = { runId: `run ${++count}`, revision: '0123456789ab' };
  return {
    ...SAMPLE,
    ...of,
    platform,
    verdict: { outcome: 'pass', reason: '' },
    manifests: ['abc'],
    outageExpected: true,
    recovery,
    ...over,
  };
}
/** The other scenarios, which have nothing to recover from. */
const rest = SIDE_BY_SIDE.filter((scenario) => scenario !== 'region-loss').flatMap((scenario) =>
  (['local', 'kubernetes'] as const).flatMap((platform) => [1, 2, 3].map(() => run(platform, null, { scenario, outageExpected: false }))),
);
const locals = [3000, 3200, 3500].map((ms) => run('local', ms));
const others = (over: Partial<SideRun> = {}, ms = 3200): SideRun[] => [1, 2, 3].map(() => run('kubernetes', ms, over));
const holds = (...runs: readonly SideRun[]): boolean => compares(compare([...runs, ...rest]), 3);

describe('both platforms beside each other', () => {
  it('the same verdicts, manifests, and recovery within what one platform differs from itself: they compare', () => {
    const runs = [...locals, ...[3100, 3300, 3450].map((ms) => run('kubernetes', ms))];
    expect(holds(...runs)).to.equal(true);
    expect(compare(runs)[0]).to.include({ differenceMs: 100, doubtMs: 350 });
    expect(kubernetesTable(compare(runs))).to.include('verdicts the same, manifests byte-identical, medians differ by 0.10 s');
  });

  it('another verdict, another manifest, a recovery beyond the doubt: they do not', () => {
    expect(holds(...locals, ...others({ verdict: { outcome: 'fail', reason: '' } }))).to.equal(false);
    expect(holds(...locals, ...others({ manifests: ['other'] }))).to.equal(false);
    expect(holds(...locals, ...others({}, 3600))).to.equal(false);
    expect(holds(...locals, ...others({ recovery: null })), 'an outage on one side only').to.equal(false);
    expect(kubernetesTable(compare([...locals, ...others({ recovery: null })]))).to.include(
      'OUTAGE NOT SEEN ON BOTH: 3 of 3 on local, 0 of 3 on kubernetes',
    );
  });

  it('late answers on one platform, where no outage is expected, are for the verdict to judge', () => {
    const late = run('kubernetes', 300, { scenario: 'region-partition', outageExpected: false });
    expect(compares(compare([...locals, ...others(), ...rest, late]), 3)).to.equal(true);
    expect(kubernetesTable(compare([...rest, late]))).to.include('late answers that count as one: 0 of 3 on local, 1 of 4 on kubernetes');
    expect(compares(compare([...locals, ...others(), ...rest, { ...late, verdict: { outcome: 'fail', reason: '' } }]), 3)).to.equal(false);
  });

  it('runs of two revisions, on one platform or across them, compare nothing', () => {
    const [first, ...later] = others();
    expect(holds(...locals, ...others())).to.equal(true);
    expect(holds(...locals, { ...first, revision: 'of yesterday' } as SideRun, ...later)).to.equal(false);
    expect(holds(...locals, ...others({ revision: 'of yesterday' }))).to.equal(false);
  });

  it('a run that was kept twice is one, and runs of two machines, or of nobody knows which revision, compare nothing', () => {
    const [first, second, third] = others();
    expect(holds(...locals, first as SideRun, second as SideRun, third as SideRun)).to.equal(true);
    expect(holds(...locals, first as SideRun, second as SideRun, second as SideRun)).to.equal(false);
    expect(holds(...locals, ...others({ machine: '96 × other' }))).to.equal(false);
    const nowhere = [...locals, ...others(), ...rest].map((one) => ({ ...one, revision: 'unknown' }));
    expect(compares(compare(nowhere), 3)).to.equal(false);
    expect(kubernetesTable(compare(nowhere))).to.contain('**It proves nothing**: nobody knows of which revision');
  });

  it('tells where the time went on each side', () => {
    const table = kubernetesTable(compare([...locals, ...others({ breakdown: { detect: 600, dns: 47.4 } })]));
    expect(table).to.include('| region-loss | kubernetes | 600 | – | – | – | – | 47 |');
  });

  it('what failed on both sides, was played too seldom, on one side only, or not at all proves nothing', () => {
    const inconclusive = { verdict: { outcome: 'inconclusive', reason: '' } } as const;
    expect(holds(...locals.map((one) => ({ ...one, ...inconclusive })), ...others(inconclusive))).to.equal(false);
    expect(compares(compare([...locals, ...others(), ...rest]), 4)).to.equal(false);
    expect(holds(...locals)).to.equal(false);
    expect(compares(compare([...locals, ...others()]), 3)).to.equal(false);
    expect(compares(compare([]), 1)).to.equal(false);
  });
});
