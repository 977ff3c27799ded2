import { expect } from 'chai';
import * as fc from 'fast-check';
import { linearize, type RegisterOperation } from './linearizability.ts';

const op = (kind: 'read' | 'write', value: string | null, callMs: number, returnMs: number): RegisterOperation => ({
  op: kind,
  value,
  callMs,
  returnMs,
  line: Math.round(callMs),
});
const write = (value: string, callMs: number, returnMs: number): RegisterOperation => op('write', value, callMs, returnMs);
const read = (value: string | null, callMs: number, returnMs: number): RegisterOperation => op('read', value, callMs, returnMs);
const state = (...operations: readonly RegisterOperation[]): string => linearize(operations, 10_000).state;

describe('linearizability', () => {
  it('knows histories that have an order', () => {
    expect(state()).to.equal('linearizable');
    expect(state(read(null, 0, 1), write('a', 2, 3), read('a', 4, 5))).to.equal('linearizable');
    expect(state(write('a', 0, 10), read('a', 1, 2), read('a', 3, 4)), 'read before the acknowledgement').to.equal('linearizable');
    expect(state(write('a', 0, 10), write('b', 0, 10), read('a', 11, 12)), 'two at a time, either order').to.equal('linearizable');
    expect(state(write('a', 0, 1), write('b', 2, 20), read('a', 5, 6), read('b', 7, 8))).to.equal('linearizable');
  });

  const bad: readonly (readonly [string, readonly RegisterOperation[]])[] = [
    ['a stale read', [write('a', 0, 1), write('b', 2, 3), read('a', 4, 5)]],
    ['a lost write', [write('a', 0, 1), read(null, 2, 3)]],
    ['a value that nobody wrote', [write('a', 0, 1), read('x', 2, 3)]],
    ['a read from the future', [read('a', 0, 1), write('a', 2, 3)]],
    ['a read that goes back, though each by itself fits', [write('a', 0, 1), write('b', 2, 20), read('b', 5, 6), read('a', 7, 8)]],
    ['two readers that disagree on the order', [write('a', 0, 9), write('b', 0, 9), read('a', 10, 11), read('b', 12, 13)]],
    ['an old primary that still answers', [write('a', 0, 1), write('b', 2, 3), read('b', 4, 5), read('a', 4.5, 6), read('a', 7, 8)]],
  ];
  for (const [what, operations] of bad)
    it(`catches ${what}`, () => {
      expect(linearize(operations, 10_000).state).to.equal('violated');
    });

  it('names what fits nowhere', () => {
    const result = linearize([write('a', 0, 1), write('b', 2, 3), read('a', 4, 5)], 10_000);
    expect(result).to.deep.include({ state: 'violated', value: 'b' });
    if (result.state === 'violated') expect(result.stuck).to.include({ op: 'read', value: 'a', callMs: 4 });
  });

  it('says that it does not know when there are too many orders', () => {
    const many = Array.from({ length: 14 }, (_, index) => write(`w${index}`, 0, 100));
    expect(linearize([...many, read('nobody', 200, 201)], 1000).state).to.equal('undecided');
  });

  it('takes time in proportion to the length, where little overlaps', () => {
    const long = Array.from({ length: 4000 }, (_, n) => (n % 2 === 0 ? write(`w${n}`, n, n + 1.5) : read(`w${n - 1}`, n, n + 1.5)));
    expect(linearize(long, 20_000).state).to.equal('linearizable');
  });

  it('finds the order of anything that a real register did, and of nothing that it did not', () => {
    const arbitrary = fc.array(fc.record({ isRead: fc.boolean(), at: fc.nat(50), before: fc.nat(6), after: fc.nat(6) }), { maxLength: 12 });
    fc.assert(
      fc.property(arbitrary, (asked) => {
        let held: string | null = null;
        const history = asked
          .map((one, index) => ({ ...one, at: one.at + index / 100, index }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ isRead, at, before, after, index }) => {
            if (!isRead) held = `w${index}`;
            return op(isRead ? 'read' : 'write', held, at - before, at + after);
          });
        expect(linearize(history, 100_000).state).to.equal('linearizable');
        expect(linearize(history, 100_000).state === 'linearizable').to.equal(bruteForce(history));
        const last = history.findLast((one) => one.op === 'write');
        const mutated = [...history, read(last === undefined ? 'x' : null, 1000, 1001)];
        expect(linearize(mutated, 100_000).state).to.equal('violated');
      }),
      { numRuns: 200 },
    );
  });

  it('agrees with a search through all orders, on histories that nobody did', () => {
    const arbitrary = fc.array(fc.record({ isRead: fc.boolean(), value: fc.nat(3), call: fc.nat(8), takes: fc.nat(6) }), { maxLength: 6 });
    fc.assert(
      fc.property(arbitrary, (asked) => {
        const history = asked.map(({ isRead, value, call, takes }, index) =>
          op(isRead ? 'read' : 'write', isRead ? (value === 3 ? null : `w${value}`) : `w${index}`, call, call + takes),
        );
        expect(linearize(history, 100_000).state === 'linearizable').to.equal(bruteForce(history));
      }),
      { numRuns: 500 },
    );
  });
});

/** Every order, tried without any cleverness. */
function bruteForce(left: readonly RegisterOperation[], held: string | null = null): boolean {
  if (left.length === 0) return true;
  return left.some((one) => {
    if (left.some((other) => other !== one && other.returnMs < one.callMs)) return false;
    if (one.op === 'read' && one.value !== held) return false;
    return bruteForce(
      left.filter((other) => other !== one),
      one.op === 'write' ? one.value : held,
    );
  });
}
