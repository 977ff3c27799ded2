import { expect } from 'chai';
import { pathToFileURL } from 'node:url';
import { SCENARIO } from '../testing/handmade.ts';
import { bulkValue, isBulkEntry, recordedEntries } from './bulk-values.ts';

describe('values of the bulk load', () => {
  it('are the same here and in the script that k6 runs', async () => {
    const script = pathToFileURL('harness/workload/k6/bulk-value.js').href;
    const { bulkValue: scripted } = (await import(script)) as { bulkValue: typeof bulkValue };
    for (const key of ['bulk/a/0', 'bulk/a/1', 'bulk/many-more/123456'])
      for (const bytes of [16, 100, 4000]) {
        expect(bulkValue(key, bytes)).to.equal(scripted(key, bytes));
        expect(bulkValue(key, bytes)).to.have.length(bytes);
      }
    expect(bulkValue('bulk/a/0', 100)).to.not.equal(bulkValue('bulk/a/1', 100));
  });

  it('are known in a copy only as what a load of the scenario writes', () => {
    const scenario = {
      ...SCENARIO,
      method: [{ do: 'bulk', name: 'a', perSecond: 10, forMs: 1000, valueBytes: 100, mayFail: 0 } as const],
    };
    const of = (key: string, value: string) => isBulkEntry(scenario, key, recordedEntries(new Map([[key, value]]))[key]!);
    expect(of('bulk/a/3', bulkValue('bulk/a/3', 100))).to.equal(true);
    expect(of('bulk/a/3', bulkValue('bulk/a/4', 100))).to.equal(false);
    expect(of('bulk/b/3', bulkValue('bulk/b/3', 100))).to.equal(false);
    expect(of('bulk/a/99', bulkValue('bulk/a/99', 100))).to.equal(false);
    expect(of('us-east1/3', bulkValue('us-east1/3', 100))).to.equal(false);
  });
});
