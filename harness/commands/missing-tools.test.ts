import { expect } from 'chai';
import { SCENARIO } from '../testing/handmade.ts';
import { HarnessError } from '../platform/errors.ts';
import { missingTools, refuseMissingTools } from './missing-tools.ts';

describe('tools that not every machine has', () => {
  const backup = { store: 'bucket', service: null, bytesPerSecond: null, storeBytes: null } as const;
  const bulk = { do: 'bulk', name: 'many', perSecond: 1, forMs: 1000, valueBytes: 100, mayFail: 0 } as const;
  const of = (scenario: object, there: readonly string[]) =>
    missingTools({ file: 'x.yaml', variant: null, scenario: { ...SCENARIO, ...scenario }, faults: new Map() }, (tool) =>
      there.includes(tool) ? tool : undefined,
    );

  it('are missed by the scenarios that need them only, with the fix', () => {
    expect(of({}, [])).to.equal(undefined);
    expect(of({ backup: { ...backup, store: 'folder' } }, [])).to.equal(undefined);
    expect(of({ backup }, ['k6'])).to.match(/fake-gcs-server.*scripts\/setup/);
    expect(of({ backup, method: [bulk] }, [])).to.match(/fake-gcs-server.*; needs k6 \(for `bulk`\)/);
    expect(of({ backup, method: [bulk] }, ['k6', 'fake-gcs-server'])).to.equal(undefined);
  });

  it('make a scenario on FoundationDB inconclusive, not wrong, where there is none', () => {
    const loaded = { file: 'x.yaml', variant: null, scenario: { ...SCENARIO, database: 'foundationdb' }, faults: new Map() } as const;
    expect(missingTools(loaded, undefined, () => 'no fdbserver')).to.equal('no fdbserver');
    expect(missingTools(loaded, undefined, () => ({}))).to.equal(undefined);
    const ofPair = { ...loaded, scenario: { ...loaded.scenario, foundationdb: 'pair' } } as const;
    expect(missingTools(ofPair, undefined, () => ({}))).to.equal('no fdbdr or no dr_agent');
    expect(missingTools(ofPair, undefined, () => ({ pair: {} }))).to.equal(undefined);
    const refuse = (): void => refuseMissingTools([loaded], () => 'no fdbserver');
    expect(refuse)
      .to.throw(HarnessError, /nothing was started:\nx\.yaml: no fdbserver\n.*FDB_BIN/)
      .with.property('code', 'missing-tool');
  });
});
