import { expect } from 'chai';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../platform/clock.ts';
import { BackupLab, documents } from '../../testing/backup-lab.ts';
import { packName } from '../format/object-name.ts';
import { readRecords } from '../repository/records.ts';
import { damagedNames } from '../retention/marks.ts';
import { isVerified } from '../retention/retained.ts';
import { verifyAndRecord } from './record.ts';

const never = new AbortController().signal;

describe('the record of a verification', () => {
  let lab: BackupLab;
  beforeEach(async () => (lab = await BackupLab.open()));
  afterEach(() => lab.close());

  it('tells all that is damaged, however much it is', async () => {
    await lab.write(documents(0, 20));
    const { manifest } = await lab.backup();
    const repository = await lab.repository();
    const options = { repository, percent: 100, workers: 0, random: Math.random, onProgress: () => undefined, clock: systemClock };
    await verifyAndRecord({ ...options, manifest, level: 3, toolVersion: 'test' }, never);
    expect(isVerified(await readRecords(repository, 'verify/'))).to.equal(true);
    const lost = Array.from({ length: 25_000 }, (_, n) => ({ ...manifest.packs[0]!, id: n.toString(16).padStart(32, '0') }));
    const larger = { ...manifest, packs: [...manifest.packs, ...lost] };
    const { ok, problems } = await verifyAndRecord({ ...options, manifest: larger, level: 3, toolVersion: 'test' }, never);
    expect(ok).to.equal(false);
    expect(problems).to.have.length(lost.length);
    expect(isVerified(await readRecords(repository, 'verify/'))).to.equal(false);
    expect([...(await damagedNames(repository))].toSorted()).to.deep.equal(lost.map(({ id }) => packName(id)));
  }).timeout(120_000);

  it('tells that an index is longer than it was written', async () => {
    await lab.write(documents(0, 20));
    const { manifest } = await lab.backup();
    const [name] = await lab.names('index/');
    appendFileSync(join(lab.storeFolder, name!), 'x');
    const repository = await lab.repository();
    const options = { repository, percent: 100, workers: 0, random: Math.random, onProgress: () => undefined, clock: systemClock };
    const { ok, problems } = await verifyAndRecord({ ...options, manifest, level: 3, toolVersion: 'test' }, never);
    expect({ ok, isNamed: problems.every((problem) => problem.includes(name!)) }).to.deep.equal({ ok: false, isNamed: true });
  }).timeout(120_000);
});
