import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectStore } from '../../objectstore/object-store.ts';
import { systemClock } from '../../platform/clock.ts';
import { EngineError } from '../../platform/errors.ts';
import { BackupLab, documents } from '../../testing/backup-lab.ts';
import type { Manifest } from '../format/manifest.ts';
import { drillAndRecord, type DrillRecord } from './drill.ts';

const never = new AbortController().signal;

describe('a drill', () => {
  let lab: BackupLab;
  let manifest: Manifest;
  before(async () => {
    lab = await BackupLab.open();
    await lab.write(documents(0, 300));
    ({ manifest } = await lab.backup());
  });
  after(async () => await lab.close());

  interface Change {
    readonly store?: ObjectStore;
    readonly folder?: string;
    readonly signal?: AbortSignal;
    readonly onProgress?: () => void;
  }
  async function drilled({
    store = lab.access.store,
    folder,
    signal = never,
    onProgress = () => undefined,
  }: Change = {}): Promise<DrillRecord> {
    const own = mkdtempSync(join(lab.folder, 'drill-'));
    try {
      return await drillAndRecord(
        {
          repository: { ...(await lab.repository()), store },
          manifest,
          folder: folder ?? own,
          workers: 2,
          rtoMs: 600_000,
          region: 'us-east1',
          toolVersion: '0',
          clock: systemClock,
          onProgress,
        },
        signal,
      );
    } finally {
      rmSync(own, { recursive: true });
    }
  }

  it('that restores everything is recorded, and one that finds damage, with the object', async () => {
    expect(await drilled()).to.include({ ok: true, records: 300, withinRto: true });
    const pack = (await lab.names('packs/'))[0]!;
    const path = join(lab.storeFolder, pack);
    const bytes = readFileSync(path);
    const damaged = Buffer.from(bytes);
    damaged[damaged.length - 1]! ^= 1;
    writeFileSync(path, damaged);
    const { ok, problems } = await drilled();
    writeFileSync(path, bytes);
    expect(ok).to.equal(false);
    expect(problems.join()).to.contain(pack);
    expect(await lab.names('verify/')).to.have.length(2);
  });

  it('that did not come to its end for another reason says nothing of the backup: it fails, and nothing is recorded', async () => {
    const before = await lab.names('verify/');
    const away: ObjectStore = {
      ...lab.access.store,
      get: (name, options) =>
        name.startsWith('packs/')
          ? Promise.reject(new EngineError('object-store-transient', 'the store does not answer'))
          : lab.access.store.get(name, options),
    };
    const file = join(lab.folder, 'file');
    writeFileSync(file, '');
    expect(statSync(file).isFile()).to.equal(true);
    const stop = new AbortController();
    const givenUp = new EngineError('timeout', 'given up');
    const failures: readonly (readonly [string, Change, RegExp])[] = [
      ['store away', { store: away }, /does not answer/],
      ['no room for the target', { folder: file }, /ENOTDIR/],
      ['given up', { signal: stop.signal, onProgress: () => stop.abort(givenUp) }, /given up/],
    ];
    for (const [what, change, expected] of failures) {
      const error = await drilled(change).then(
        ({ problems }) => new Error(`recorded: ${problems.join()}`),
        (thrown: unknown) => thrown as Error,
      );
      expect(error.message, what).to.match(expected);
      expect(error.message, what).to.not.contain('recorded');
    }
    expect(await lab.names('verify/')).to.deep.equal(before);
  });
}).timeout(120_000);
