import { expect } from 'chai';
import { databaseConformance, put } from '../database/conformance.ts';
import { SimulatedDatabase } from './simulated-database.ts';
import { SimulatedDisk } from './simulated-disk.ts';

const NOBODY = { appended: () => undefined, removed: () => undefined, committed: () => undefined };
const open = (disk: SimulatedDisk, sync: () => Promise<void> = () => Promise.resolve()) =>
  new SimulatedDatabase({ disk, sync, witness: NOBODY });

describe('simulated database', () => {
  databaseConformance('simulated', () => {
    const [here, there] = [new SimulatedDisk(), new SimulatedDisk()];
    return { open: () => open(here), openOther: () => open(there) };
  });

  it('has after a crash what was synced, and nothing of what was not', async () => {
    const disk = new SimulatedDisk();
    const syncs: (() => void)[] = [];
    const database = open(disk, () => new Promise((resolve) => syncs.push(resolve)));
    const first = database.append([put(1, 1, 'a', '1')]);
    await Promise.resolve().then(() => undefined);
    syncs.shift()?.();
    await first;
    void database.append([put(1, 2, 'b', '2')]);
    void database.seal(4);
    expect(open(disk).state()).to.deep.include({ durableIndex: 1, sealedEpoch: 0, log: { epoch: 1, index: 1 } });
  });

  it('is broken for good once its disk failed', async () => {
    const disk = new SimulatedDisk();
    const database = open(disk);
    disk.broken = true;
    expect(await database.append([put(1, 1, 'a', '1')]).catch((error: unknown) => error)).to.have.property('code', 'database-broken');
    disk.broken = false;
    expect(await database.seal(1).catch((error: unknown) => error)).to.have.property('code', 'database-broken');
  });
});
