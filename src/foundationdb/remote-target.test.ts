import { expect } from 'chai';
import { MemoryFoundationdb } from '../testing/memory-foundationdb.ts';
import { openFence } from './fence.ts';
import { keySpaceOf } from './key-space.ts';
import { foundationdbToFill } from './remote-target.ts';

const LIMIT_MS = 2000;

describe('a restore into FoundationDB that is refused', () => {
  it('never locks the database: it may be the one that serves, named by mistake', async () => {
    const keys = keySpaceOf('test/');
    let wasLocked = false;
    const store: MemoryFoundationdb = new MemoryFoundationdb({
      trouble: () => {
        wasLocked ||= store.lockedBy !== null;
        return null;
      },
    });
    expect((await openFence(store.db, keys.fence, { epoch: 1, region: 'one' }, LIMIT_MS)).kind).to.equal('done');
    const target = foundationdbToFill({ db: store.db, keys, lock: { system: 'restore of test', epoch: 1 } });
    const refused: unknown = await target.begin('a backup').catch((error: unknown) => error);
    expect(String(refused)).to.match(/not empty; restore into an empty one/);
    expect({ wasLocked, lockedBy: store.lockedBy }).to.deep.equal({ wasLocked: false, lockedBy: null });
  });
});
