import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BackupLab } from '../../testing/backup-lab.ts';
import type { Change } from '../format/change-segment.ts';
import { backupId } from '../format/ids.ts';
import { CHAIN_HASH_BYTES } from '../format/log-segment.ts';
import type { Manifest } from '../format/manifest.ts';
import { logName } from '../format/object-name.ts';
import { putSegment } from '../log/segments.ts';
import type { BackupEntry } from '../repository/catalog.ts';
import type { Repository } from '../repository/repository.ts';
import { garbageOf } from './garbage.ts';

const never = new AbortController().signal;

/** A repository with segments of captured logs, ten versions each; of backups only where they end matters. */
describe('the log that no restore needs any more', () => {
  let lab: BackupLab;
  let repository: Repository;
  let streams = 0;
  beforeEach(async () => {
    lab = await BackupLab.open();
    repository = await lab.repository();
  });
  afterEach(() => lab.close());

  /** The names of its segments, from version `begin` on. */
  async function stream({ begin, segments = 3, epoch = 1 }: { begin: number; segments?: number; epoch?: number }): Promise<string[]> {
    const id = backupId(++streams, randomBytes(10));
    let previous: Uint8Array = Buffer.alloc(CHAIN_HASH_BYTES);
    const names: string[] = [];
    for (let n = 0; n < segments; n++) {
      const at = begin + n * 10;
      const changes: Change[] = [{ version: at, epoch, op: 'noop', key: Buffer.alloc(0), value: Buffer.alloc(0) }];
      const segment = { previous, begin: at, end: at + 9, epochBefore: epoch, wallMs: 1, changes };
      const stored = await putSegment(repository, { cluster: 'lab', stream: id }, segment, never);
      previous = stored === 'taken' ? previous : stored.hash;
      names.push(logName('lab', id, at));
    }
    return names;
  }

  const old = async (...ends: readonly (readonly [version: number, epoch: number])[]) => {
    const kept = ends.map(([version, epoch], n): BackupEntry => {
      const end = { readVersion: String(version), generation: String(epoch) };
      const manifest = { backupId: `backup ${n}`, ...end, packs: [], index: [] } as unknown as Manifest;
      return { name: '', backupId: `backup ${n}`, generation: '', bytes: 0, manifest, kid: null, problem: null };
    });
    const { garbage, ...told } = await garbageOf(repository, { cluster: 'lab', kept, others: [] }, never);
    return { names: garbage.map(({ name }) => name), ...told };
  };
  const nothingTold = { damagedLog: [], unclearLog: [] };

  it('is all of a database whose versions were higher than those of now, once no backup of it is left', async () => {
    const before = await stream({ begin: 1001 });
    const now = await stream({ begin: 51, epoch: 5 });
    expect(await old([1010, 1], [50, 5])).to.deep.equal({ names: before.slice(0, 1), ...nothingTold });
    expect(await old([50, 5])).to.deep.equal({ names: before, ...nothingTold });
    // The versions of now come to those of then.
    expect(await old([1005, 5])).to.deep.equal({ names: [...before, ...now.slice(0, 2)], ...nothingTold });
    expect(await old([1005, 1])).to.deep.equal({ names: now.slice(0, 2), ...nothingTold });
  });

  it('is also what is left of such a stream whose first segments went long ago', async () => {
    const [first, ...before] = await stream({ begin: 1001 });
    await lab.access.store.delete(first!);
    await stream({ begin: 51, epoch: 5 });
    expect(await old([50, 5])).to.deep.equal({ names: before, ...nothingTold });
  });

  it('is nothing of a stream that may lead on from a backup, where nobody can tell; it is said why', async () => {
    const [first, second, third] = await stream({ begin: 1001 });
    await stream({ begin: 51, epoch: 5 });
    writeFileSync(join(lab.storeFolder, second!), 'damaged');
    const damaged = await old([50, 5], [1015, 1]);
    expect(damaged.names).to.deep.equal([first]);
    expect(damaged.unclearLog.join()).to.match(/^log stream \w+ may lead on from backup backup 1: log\/lab\/\w+\/0*1011\W/);
    await lab.access.store.delete(second!);
    expect((await old([1015, 1])).unclearLog.join()).to.match(/: what follows version 1010 is gone$/);
    await lab.access.store.delete(first!);
    const gone = await old([50, 1]);
    expect(gone.names).to.deep.equal([]);
    expect(gone.unclearLog.join()).to.match(/may lead on from backup backup 0: its first segments are gone$/);
    expect((await old([50, 5])).names).to.deep.equal([third]);
  });

  it('is never the end of the newest stream, nor what follows the oldest backup of it: the backup that it leads on from may be still to come', async () => {
    const [first] = await stream({ begin: 1001, segments: 1 });
    const newest = await stream({ begin: 2001 });
    expect(await old([50, 5])).to.deep.equal({ names: [first], ...nothingTold });
    expect(await old([5000, 5])).to.deep.equal({ names: [first, ...newest.slice(0, 2)], ...nothingTold });
  });
});
