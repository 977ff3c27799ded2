import { expect } from 'chai';
import type { Transaction } from 'foundationdb';
import { MemoryPair } from '../testing/memory-pair.ts';
import { writeKey } from './data.ts';
import { openFence } from './fence.ts';
import { keySpaceOf } from './key-space.ts';
import { LOCK_AWARE } from './option-codes.ts';
import { differences, type Differing } from './pair-difference.ts';
import { transact } from './transaction.ts';

const keys = keySpaceOf('coditect/');
const LIMIT_MS = 10_000;
const NEVER = new AbortController().signal;
const [OLD, NEW] = [
  { epoch: 1, region: 'us-central1' },
  { epoch: 2, region: 'us-east1' },
];

describe('what two clusters of a pair do not have in common', () => {
  let pair: MemoryPair;

  async function put(side: 'primary' | 'copy', rows: Readonly<Record<string, string | null>>): Promise<void> {
    const place = { db: pair[side].db, keys };
    for (const [key, value] of Object.entries(rows)) await writeKey(place, side === 'primary' ? OLD : NEW, key, value, LIMIT_MS);
  }
  async function found(sliceBytes?: number): Promise<readonly Differing[]> {
    const rows: Differing[] = [];
    const [own, other] = [
      { db: pair.primary.db, keys },
      { db: pair.copy.db, keys },
    ];
    for await (const row of differences(own, other, NEVER, sliceBytes)) rows.push(row);
    return rows;
  }

  beforeEach(async () => {
    pair = new MemoryPair();
    await openFence(pair.primary.db, keys.fence, OLD, LIMIT_MS);
    await put('primary', { a: '1', b: '1', c: '1', d: '1', '.canary/us-central1': '1', ä: 'ö' });
    await pair.begin();
    await pair.ship();
  });

  it('is nothing where the copy has everything, though it is locked', async () => {
    expect(await found()).to.deep.equal([]);
  });

  it('is what was acknowledged and never came to the copy that went on, and what that has written since, in slices of any size', async () => {
    await put('primary', { a: 'lost', c: null, 'only-here': 'lost', '.canary/us-central1': '2' });
    await pair.abort();
    await openFence(pair.copy.db, keys.fence, NEW, LIMIT_MS);
    await put('copy', { b: 'later', z: 'new' });
    const expected = [
      { key: 'a', value: 'lost', other: '1' },
      { key: 'b', value: '1', other: 'later' },
      { key: 'c', value: null, other: '1' },
      { key: 'only-here', value: 'lost', other: null },
      { key: 'z', value: null, other: 'new' },
    ];
    expect(await found()).to.deep.equal(expected);
    expect(await found(1)).to.deep.equal(expected);
    await pair.lock('00112233445566778899aabbccddeeff', pair.primary);
    expect(await found(20), 'whoever has locked it').to.deep.equal(expected);
  });

  it('is of bytes: what is no text reads alike and is not the same', async () => {
    const place = (side: 'primary' | 'copy') => pair[side].db;
    for (const [side, byte] of [
      ['primary', 0xfe],
      ['copy', 0xff],
    ] as const) {
      const raw = async (transaction: Transaction) => {
        transaction.setOption(LOCK_AWARE);
        transaction.set('coditect/data/raw', Buffer.from([byte]));
        return { commit: true, value: null };
      };
      expect((await transact(place(side), raw, { timeoutMs: LIMIT_MS })).kind).to.equal('done');
    }
    expect((await found()).map(({ key }) => key)).to.deep.equal(['raw']);
  });

  it('is not told where one of them does not answer', async () => {
    const ending = new AbortController();
    pair.copy.silent = true;
    setTimeout(() => ending.abort(new Error('ended')), 50);
    const rows = differences({ db: pair.primary.db, keys }, { db: pair.copy.db, keys }, ending.signal);
    const ended = await rows.next().catch((error: unknown) => (error as Error).message);
    expect(ended).to.equal('ended');
  });
});
