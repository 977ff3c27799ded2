import { expect } from 'chai';
import type { PinnedData } from '../../database/data-reader.ts';
import { changedKeys } from './plan.ts';

describe('what the log says was changed since a backup', () => {
  const entries = [1, 2, 3, 4].map((index) => ({ epoch: index > 3 ? 2 : 1, index, op: 'put' as const, key: `k${index}`, value: '' }));
  const data: PinnedData = {
    identity: {
      end: { epoch: 2, index: 4 },
      epochs: [
        [1, 1],
        [2, 4],
      ],
      baseIndex: 0,
      slot: 0,
    },
    scan: () => undefined,
    entries: (from, through) => entries.slice(from - 1, through),
    release: () => undefined,
  };
  const since = { epoch: 1, index: 2 };
  const names = (keys: readonly Buffer[] | null): readonly string[] | null => keys?.map(String) ?? null;

  it('is told up to the newer pin', () => {
    expect(names(changedKeys(data, since, { epoch: 1, index: 3 }))).to.deep.equal(['k3', 'k4']);
  });

  it('is not told where what is read is older than the backup, or of another history than the log', () => {
    expect(changedKeys(data, since, { epoch: 1, index: 1 })).to.equal(null);
    expect(changedKeys(data, since, { epoch: 1, index: 4 })).to.equal(null);
    expect(changedKeys(data, { epoch: 2, index: 3 }, { epoch: 1, index: 3 })).to.equal(null);
  });
});
