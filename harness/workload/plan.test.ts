import { expect } from 'chai';
import { operationPlan } from './plan.ts';

describe('operation plan', () => {
  const plan = (ticks: number) => {
    const made = operationPlan('a', ['a', 'b']);
    return Array.from({ length: ticks }, () => made.next());
  };

  it('changes one key a tick and reads at every fifth, all with growing numbers', () => {
    const ticks = plan(500);
    const operations = ticks.flat();
    expect(operations.map((one) => one.seq)).to.deep.equal(operations.map((_, index) => index));
    expect(ticks.every((tick) => tick[0]?.op !== 'get')).to.equal(true);
    expect(operations.filter((one) => one.op === 'get')).to.have.length(100);
    expect(operations.filter((one) => one.op === 'delete')).to.have.length(20);
  });

  it('deletes only keys that it has written, each once', () => {
    const written = new Set<string>();
    for (const one of plan(1000).flat()) {
      if (one.op === 'put') written.add(one.key);
      if (one.op !== 'delete') continue;
      expect(written.delete(one.key), one.key).to.equal(true);
    }
  });

  it('writes a unique key once, its own registers only, and every value names its operation', () => {
    const puts = plan(1000)
      .flat()
      .filter((one) => one.op === 'put');
    const unique = puts.filter((one) => !one.key.startsWith('reg/'));
    expect(new Set(unique.map((one) => one.key)).size).to.equal(unique.length);
    expect(puts.every((one) => one.value === `a/${one.seq}`)).to.equal(true);
    expect(puts.filter((one) => one.key.startsWith('reg/')).every((one) => one.key.startsWith('reg/a/'))).to.equal(true);
  });

  it('reads the registers of every vantage', () => {
    const read = new Set(
      plan(200)
        .flat()
        .filter((one) => one.op === 'get')
        .map((one) => one.key),
    );
    expect(read.size).to.equal(8);
  });
});
