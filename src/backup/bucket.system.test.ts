import { expect } from 'chai';
import { openGcsStore } from '../objectstore/gcs-store.ts';
import { withRetry } from '../objectstore/retry.ts';
import { StrictGcs } from '../objectstore/testing/strict-gcs.ts';
import { systemClock } from '../platform/clock.ts';
import { BackupLab, documents } from '../testing/backup-lab.ts';
import { verifyBackup } from './verify/verify.ts';

describe('backups in a bucket', () => {
  const gcs = new StrictGcs();
  before(() => gcs.start());
  after(() => gcs.stop());

  it('are made, verified and restored while the bucket fails now and then', async () => {
    const plain = openGcsStore({ bucket: 'test', endpoint: gcs.endpoint, timeoutMs: 4000 });
    const lab = await BackupLab.open(withRetry(plain, { attempts: 6, firstDelayMs: 1, maxDelayMs: 10 }, systemClock, Math.random));
    try {
      await lab.write(documents(0, 3000));
      gcs.fail({ status: 503 });
      const first = await lab.backup();
      await lab.write(documents(5, 10, 1));
      for (const fault of ['cut-after', { status: 429 }, 'cut-before'] as const) gcs.fail(fault);
      const second = await lab.backup();
      expect(second.manifest.packs.every(({ generation }) => /^\d+$/.test(generation))).to.equal(true);
      const options = { repository: await lab.repository(), percent: 100, workers: 1, random: Math.random, onProgress: () => undefined };
      for (const { manifest } of [first, second])
        expect((await verifyBackup({ ...options, manifest, level: 3 }, new AbortController().signal)).problems).to.deep.equal([]);
      gcs.fail('corrupt-download');
      expect(await lab.restore(second.manifest, 'restored')).to.deep.equal(lab.model);
    } finally {
      await lab.close();
    }
  }).timeout(120_000);
});
