import { expect } from 'chai';
import { nextToPlace } from './foundationdb-place.ts';
import { threeRegions } from './topology.ts';

const lab = threeRegions({ database: 'foundationdb' });

function status(primary: string | undefined, classes: readonly (string | undefined)[]) {
  const processes = Object.fromEntries(classes.map((class_type, i) => [String(i), { class_type }]));
  return { cluster: { ...(primary === undefined ? {} : { active_primary_dc: primary }), processes } };
}
const OTHERS = ['10.77.2.17', '10.77.2.18', '10.77.3.17', '10.77.3.18'];
const setting = (name: string) => ({ kind: 'ask', commands: OTHERS.map((address) => `setclass ${address}:4500 ${name}`).join('; ') });

describe('where the FoundationDB of a lab begins', () => {
  it('is the primary region: where it is elsewhere every other region is made unfit for it, until it has moved, and then everybody fit again', () => {
    const moved = ['unset', 'unset', 'storage', 'storage', 'storage', 'storage'];
    expect(nextToPlace(status('us-east1', ['unset', undefined]), lab)).to.deep.equal(setting('storage'));
    expect(nextToPlace(status('us-east1', moved), lab)).to.deep.equal({ kind: 'wait' });
    // fdbcli ended half-way.
    expect(nextToPlace(status('europe-west1', moved.with(5, 'unset')), lab)).to.deep.equal(setting('storage'));
    expect(nextToPlace(status('us-central1', moved), lab)).to.deep.equal(setting('default'));
    expect(nextToPlace(status('us-central1', ['unset', 'unset']), lab)).to.deep.equal({ kind: 'placed' });
  });

  it('is where the priorities put it where there are two regions: the classes of a satellite are left alone', () => {
    const two = threeRegions({ database: 'foundationdb', foundationdb: 'two_regions' });
    expect(nextToPlace(status('us-central1', ['unset', 'log']), two)).to.deep.equal({ kind: 'placed' });
    expect(nextToPlace(status('us-east1', ['unset', 'log']), two)).to.deep.equal({ kind: 'wait' });
  });

  it('is not taken for settled by a status that does not tell', () => {
    for (const nothing of [undefined, null, 'x', {}, { cluster: {} }, status('us-central1', []), status(undefined, ['unset'])])
      expect(nextToPlace(nothing, lab)).to.deep.equal({ kind: 'wait' });
  });
});
