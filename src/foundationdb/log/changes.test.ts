import { expect } from 'chai';
import { NO_FENCE } from '../fence.ts';
import { keySpaceOf } from '../key-space.ts';
import { changesOf, dataChangesOf } from './changes.ts';
import type { Mutation } from './log-file.ts';

const keys = keySpaceOf('app/');
const EPOCH = 4;
const set = (version: number, key: string, value: string | Buffer): Mutation => ({
  version,
  type: 0,
  key: Buffer.from(key),
  value: Buffer.from(value),
});
const clear = (version: number, from: string, to: string): Mutation => ({
  version,
  type: 1,
  key: Buffer.from(from),
  value: Buffer.from(to),
});
const fence = (version: number, servedEpoch: number, more: object = {}): Mutation =>
  set(
    version,
    'app/fence',
    Buffer.concat([Buffer.alloc(10), Buffer.from(JSON.stringify({ ...NO_FENCE, epoch: 9, servedEpoch, servedBy: 'x', ...more }))]),
  );
const told = (mutations: readonly Mutation[]): (string | null)[] => {
  const { changes, broken } = changesOf(mutations, keys, EPOCH);
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
  return [
    ...changes.map(({ version, epoch, op, key, value }) => `${version} ${epoch} ${op} ${text(key)} ${text(value)}`),
    broken === null ? null : `${broken.at} ${broken.why}`,
  ];
};

describe('what the log of FoundationDB says of a key space', () => {
  it('is what was set, deleted and cleared of the data, under the epoch that the fence says', () => {
    expect(
      told([
        set(1, 'app/data/a', '1'),
        clear(2, 'app/data/a', 'app/data/a\0'),
        set(2, 'app/kept/x', 'none of clients'),
        fence(3, 5),
        fence(4, 5, { copy: { id: 'x', untilVersion: 9 } }),
        set(5, 'app/data/', 'the empty key'),
        clear(6, 'app/data/a', 'app/data/c'),
        clear(7, 'app/data/x', 'app/data0'),
      ]),
    ).to.deep.equal(['1 4 put a 1', '2 4 delete a ', '3 5 noop  ', '5 5 put  the empty key', '6 5 clear a c', '7 5 clear x ', null]);
  });

  it('ends, before the version, where nobody can follow it or another history begins', () => {
    const before = set(1, 'app/data/a', '1');
    const same = set(2, 'app/data/b', '1');
    for (const [mutation, why] of [
      [{ ...set(2, 'app/data/n', '1'), type: 2 }, /atomic operation \(kind 2\)/],
      [clear(2, 'app/fence', 'app/fence\0'), /emptied/],
      [fence(2, 0, { restored: true }), /restored/],
      [fence(2, 3), /epoch 3, after 4/],
      [set(2, 'app/fence', 'nonsense of somebody'), /another fence/],
    ] as const) {
      const found = told([before, same, mutation, set(3, 'app/data/c', '1')]);
      expect(found.slice(0, -1), String(why)).to.deep.equal(['1 4 put a 1']);
      expect(found.at(-1)).to.match(why).and.to.match(/^2 /);
    }
  });

  it('is the same whoever served, where it is only compared', () => {
    const data = [set(1, 'app/data/a', '1'), fence(2, 3), clear(3, 'app/data/a', 'app/data/a\0')];
    expect(dataChangesOf(data, keys).map(({ version, epoch, op }) => [version, epoch, op])).to.deep.equal([
      [1, 0, 'put'],
      [3, 0, 'delete'],
    ]);
  });
});
