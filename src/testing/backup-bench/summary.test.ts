import { expect } from 'chai';
import { documentAt, isChanged } from './documents.ts';
import { pageOf } from './page.ts';
import { plotOf } from './plot.ts';
import type { Figure } from './rounds.ts';
import { againstPeers, claimsOf, ofLimit, rates, spread, type Run } from './summary.ts';

const figure = (round: number, contender: string, operation: Figure['operation'], wallMs: number, peakMiB = 0): Figure => ({
  round,
  contender,
  operation,
  wallMs,
  cpuMs: 2 * wallMs,
  peak: peakMiB === 0 ? null : { totalBytes: 2 * peakMiB * 2 ** 20, anonymousBytes: peakMiB * 2 ** 20, mappedBytes: peakMiB * 2 ** 20 },
  storedBytes: null,
});

const REVISION = 'c0ffee';
const run = (gib: number, figures: readonly Figure[], revision = REVISION): Run => ({
  revision,
  at: '2026-11-27T21:00:00.000Z',
  gib,
  place: 'tmpfs',
  bytes: 1e9,
  records: 1,
  machine: { cpu: 'a', cpus: 2, memoryBytes: 1, kernel: 'k' },
  load: [0, 0],
  versions: { node: 'v24' },
  missing: [],
  contenders: { ours: 'ours', borg: 'borg', 'dump-age': 'pipe' },
  figures,
});

describe('the bench of backups', () => {
  it('gives the middle value with the least and the most', () => {
    expect(spread([3, 1, 2])).to.deep.equal({ n: 3, min: 1, median: 2, max: 3 });
    expect(spread([4, 1, 2, 3])?.median).to.equal(2.5);
    expect(spread([])).to.equal(null);
  });

  it('compares with the fastest of restic and borg of the same round, and with nothing else', () => {
    const runs = [
      run(1, [
        figure(0, 'ours', 'backup', 100),
        figure(0, 'borg', 'backup', 200),
        figure(0, 'restic', 'backup', 150),
        figure(0, 'dump-age', 'backup', 10),
        figure(1, 'ours', 'backup', 100),
        figure(1, 'borg', 'backup', 300),
        figure(2, 'ours', 'backup', 1),
      ]),
      run(1, [figure(0, 'ours', 'backup', 100), figure(0, 'borg', 'backup', 400)]),
    ];
    expect(againstPeers(runs, 'backup', 'wallMs')).to.deep.equal({ n: 3, min: 1.5, median: 3, max: 4 });
    expect(rates(runs, 'borg', 'backup', 'cpuMs')).to.include({ n: 3, max: 2500 });
    expect(againstPeers(runs, 'restore', 'wallMs')).to.equal(null);
  });

  it('holds claims against rounds of the program that is there now, and against no earlier one', () => {
    const rounds = (revision: string | undefined, ours: number): Run => {
      const { revision: _, ...rest } = run(1, [figure(0, 'ours', 'backup', ours), figure(0, 'ours', 'unchanged', 10)]);
      return revision === undefined ? rest : { ...rest, revision };
    };
    const faster = (all: readonly Run[], revision: string) => claimsOf(revision, all).find(({ says }) => says.startsWith('unchanged'));
    const all = [rounds(undefined, 90), rounds('of-before', 100), rounds('of-before', 80), rounds(REVISION, 20)];
    expect(faster(all, REVISION)).to.deep.include({ reached: false, value: { n: 1, min: 2, median: 2, max: 2 } });
    expect(faster(all, 'another')).to.deep.include({ reached: null, value: null });
    expect(pageOf(all, REVISION)).to.match(/rounds of c0ffee, 1 of 4 below/);
  });

  it('takes the share of the limit from rounds that have both', () => {
    const runs = [run(1, [figure(0, 'limit', 'limit', 70), figure(0, 'ours', 'backup', 100), figure(1, 'ours', 'backup', 5)])];
    expect(ofLimit(runs, 'wallMs')).to.include({ n: 1, median: 0.7 });
  });

  it('says of each claim whether it was reached, missed or not measured', () => {
    const claims = claimsOf(REVISION, [
      run(1, [figure(0, 'ours', 'backup', 100), figure(0, 'borg', 'backup', 140)]),
      run(4, [figure(0, 'ours', 'backup', 1, 250)]),
    ]);
    const verdict = (text: RegExp): boolean | null | undefined => claims.find(({ says }) => text.test(says))?.reached;
    expect(verdict(/backup of 1 GiB, MB\/s: ours/)).to.equal(false);
    expect(verdict(/share of the limit/)).to.equal(null);
    expect(verdict(/4 GiB in MiB, all/)).to.equal(false);
    expect(claims.filter(({ says, reached }) => /without mapped/.test(says) && reached === true)).to.have.length(1);
  });

  it('makes a page and a plot of whatever there is', () => {
    const runs = [run(0.25, [figure(0, 'ours', 'backup', 100, 10), figure(0, 'borg', 'backup', 100, 10)]), run(4, [])];
    expect(pageOf(runs, REVISION)).to.match(/\| ours \| backup \| 1 \| 10000 \| 5000 \| 20 \| 10 \|/);
    expect(plotOf(runs)).to.match(/^<svg[^]*<\/svg>\n$/);
  });

  it('makes the same documents each time, in the order of their keys, and changes one in a hundred', () => {
    const numbers = Array.from({ length: 60_000 }, (_, n) => n);
    expect(documentAt(12_345, 1)).to.deep.equal(documentAt(12_345, 1));
    expect(documentAt(12_345, 1).value).to.not.equal(documentAt(12_345, 0).value);
    const keys = numbers.slice(0, 1000).map((n) => documentAt(n, 0).key);
    expect(keys.toSorted()).to.deep.equal(keys);
    for (const n of numbers.slice(0, 200)) JSON.parse(documentAt(n, 0).value);
    expect(numbers.filter(isChanged).length).to.be.within(400, 1100);
  });
});
