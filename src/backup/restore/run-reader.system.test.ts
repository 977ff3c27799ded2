import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BackupLab, documents } from '../../testing/backup-lab.ts';
import { openBlobMap } from '../repository/blob-reader.ts';
import { readFileList } from '../repository/file-list.ts';
import { readRuns } from './run-reader.ts';
import { runsOf } from './runs.ts';

describe('reading what a backup holds', () => {
  it('keeps nothing of what was taken from it, so that memory does not grow with the backup', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const lab = await BackupLab.open();
    try {
      await lab.write(documents(0, 15_000));
      // Stored plain, each file fills a pack and so a run of its own.
      const { manifest } = await lab.backup({ level: null });
      const repository = await lab.repository();
      const never = new AbortController().signal;
      const map = await openBlobMap(repository, manifest);
      const runs = runsOf(await readFileList(repository, map, manifest.ranges[0]!), map);
      const taken: WeakRef<object>[] = [];
      let left = 0;
      for await (const plains of readRuns({ repository, map, workers: 2, contents: true }, runs, never)) {
        taken.push(new WeakRef(plains));
        await new Promise((resolve) => setImmediate(resolve));
        collect();
        left = taken.filter((plain) => plain.deref() !== undefined).length;
      }
      expect(taken.length).to.be.greaterThan(6);
      expect(left).to.be.lessThan(4);
    } finally {
      await lab.close();
    }
  }).timeout(120_000);
});
