import { expect } from 'chai';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLmdbReader } from '../../database/lmdb-reader.ts';
import type { DataReader } from '../../database/data-reader.ts';
import type { Entry } from '../../database/database.ts';
import { openLmdb } from '../../database/lmdb.ts';
import { createOfflineKeyFile, openRecipient } from '../../keys/offline-key.ts';
import { systemClock, type Clock } from '../../platform/clock.ts';
import type { EngineError } from '../../platform/errors.ts';
import { embeddedSource } from '../pipeline/embedded-source.ts';
import { runPointInTime } from '../../testing/backup-point-in-time.ts';
import { BackupLab, documents } from '../../testing/backup-lab.ts';
import type { LogEnd } from '../../replication/epochs.ts';
import { openRepository } from '../repository/repository.ts';
import { addMissingRecipients, newEpoch } from '../repository/rewrap.ts';
import { shredEpochKey } from '../repository/shred.ts';
import { describeLog } from './describe-log.ts';
import { planPointInTime, type PointInTime } from './point-in-time.ts';
import { LogShipper } from './shipper.ts';

const never = new AbortController().signal;

describe('restoring to a point in time', () => {
  let lab: BackupLab;
  let reader: DataReader;
  let wallMs = 1_700_000_000_000;
  const clock: Clock = { ...systemClock, wall: () => new Date(wallMs) };
  beforeEach(async () => {
    lab = await BackupLab.open();
    reader = await openLmdbReader(lab.databaseFolder);
  });
  afterEach(async () => {
    await reader.close();
    await lab.close();
  });

  async function shipper(of = reader): Promise<LogShipper> {
    const repository = await lab.repository();
    const anchors = (): Promise<readonly LogEnd[]> => lab.logEnds(repository);
    return new LogShipper({ repository: () => Promise.resolve(repository), cluster: 'lab', reader: of, clock, anchors });
  }

  /** Another database, which has committed all of that. */
  async function databaseOf(name: string, entries: readonly Entry[]): Promise<DataReader> {
    const folder = join(lab.folder, name);
    const other = openLmdb(folder);
    await other.append(entries);
    other.commit(entries.length);
    await other.close();
    return await openLmdbReader(folder);
  }

  async function restored(point: PointInTime, name: string): Promise<{ version: number; content: Map<string, string> }> {
    const { manifest, log, version } = await planPointInTime(await lab.repository(), 'lab', point, never);
    return { version, content: await lab.restore(manifest, name, { log, workers: 0 }) };
  }

  it('gives the state of any version and any time (a sample; 200 in ./scripts/bench backup-point-in-time)', async () => {
    const result = await runPointInTime({ points: 20, writes: 200, random: generator(20261122), onLine: () => undefined });
    expect(result.times).to.equal(10);
    expect(result.backups).to.be.greaterThan(1);
  }).timeout(120_000);

  it('gives the state just before everything was deleted', async () => {
    await lab.write(documents(0, 50));
    await lab.backup({ clock });
    const log = await shipper();
    await log.tick(never);
    await lab.write([
      ['doc/00000003', 'changed'],
      ['late', 'addition'],
    ]);
    const before = new Map(lab.model);
    wallMs += 1000;
    await log.tick(never);
    const goodMs = wallMs;
    wallMs += 1000;
    await lab.write([...lab.model.keys()].map((key) => [key, null] as const));
    await log.tick(never);
    expect(lab.model.size).to.equal(0);
    expect((await restored({ timeMs: goodMs + 500 }, 'before')).content).to.deep.equal(before);
    expect((await restored({ timeMs: wallMs + 500 }, 'after')).content.size).to.equal(0);
    const plan = await planPointInTime(await lab.repository(), 'lab', { timeMs: wallMs + 500 }, never);
    expect(await lab.restoreOnly(plan.manifest, 'told', { log: plan.log, workers: 0 })).to.include({ records: 0 });
  }).timeout(120_000);

  it('takes the stream that reaches furthest, and tells the time that it reached', async () => {
    await lab.write(documents(0, 5));
    await lab.backup({ clock });
    const first = await shipper();
    await first.tick(never);
    // A service that saw no stream yet begins one of its own, and ends.
    const second = await shipper();
    wallMs += 1000;
    await second.tick(never);
    await lab.write([['early', 'x']]);
    await first.tick(never);
    await second.tick(never);
    for (let n = 0; n < 3; n++) {
      wallMs += 1000;
      await lab.write([[`late ${n}`, 'x']]);
      expect((await first.tick(never)).kind).to.equal('shipped');
    }
    const reachedMs = wallMs;
    const plan = await planPointInTime(await lab.repository(), 'lab', { timeMs: wallMs + 600_000 }, never);
    expect(plan).to.include({ version: lab.version, wallMs: reachedMs });
    expect((await restored({ timeMs: wallMs + 600_000 }, 'furthest')).content).to.deep.equal(lab.model);
  }).timeout(120_000);

  it('waits where its copy is behind the stream, as that of a standby is', async () => {
    const rows = [...documents(0, 5)];
    await lab.write(rows);
    await lab.backup({ clock });
    const log = await shipper();
    await log.tick(never);
    await lab.write([['last', 'x']]);
    await log.tick(never);
    const behind = await databaseOf(
      'standby',
      rows.slice(0, 3).map(([key, value], i): Entry => ({ epoch: 1, index: i + 1, op: 'put', key, value })),
    );
    const repository = await lab.repository();
    const second = new LogShipper({
      repository: () => Promise.resolve(repository),
      cluster: 'lab',
      reader: behind,
      clock,
      anchors: () => Promise.resolve([]),
    });
    const shipped = await second.tick(never);
    await behind.close();
    expect(shipped).to.have.nested.include({ kind: 'idle', 'head.end': 6 });
  }).timeout(120_000);

  it('opens what is under an earlier epoch key: backups and log of before a new epoch', async () => {
    await lab.write(documents(0, 5));
    await lab.backup({ clock });
    const log = await shipper();
    await log.tick(never);
    await lab.write([['before', 'the new epoch']]);
    await log.tick(never);
    const before = { version: lab.version, content: new Map(lab.model) };
    await newEpoch(await lab.repository(), new Date(), never);
    const later = await shipper();
    expect((await later.tick(never)).kind).to.equal('new-stream');
    await lab.write([['after', 'the new epoch']]);
    while ((await later.tick(never)).kind !== 'idle');
    expect((await restored({ version: before.version }, 'before')).content).to.deep.equal(before.content);
    expect((await restored({ version: lab.version }, 'after')).content).to.deep.equal(lab.model);
  }).timeout(120_000);

  it('goes on without what was destroyed, but not without what is damaged', async () => {
    await lab.write(documents(0, 5));
    await lab.backup({ clock });
    const log = await shipper();
    await log.tick(never);
    await lab.write([['under', 'the old key']]);
    await log.tick(never);
    const old = await lab.repository();
    const oldSegments = await lab.names('log/');
    await newEpoch(old, new Date(), never);
    await lab.write([['under', 'the new key']]);
    wallMs += 1000;
    await lab.backup({ clock });
    const later = await shipper();
    while ((await later.tick(never)).kind !== 'idle');
    wallMs += 1000;
    await lab.write([['last', 'words']]);
    await later.tick(never);
    await shredEpochKey({ repository: await lab.repository(), kid: old.keys.kid, by: 'test', at: new Date(wallMs) }, never);
    const latest = { timeMs: wallMs + 500 };
    const oldStream = oldSegments[0]!.split('/')[2];
    expect((await planPointInTime(await lab.repository(), 'lab', latest, never)).passedOver).to.deep.equal([oldStream]);
    expect((await restored(latest, 'all')).content).to.deep.equal(lab.model);
    expect((await restored({ version: lab.version }, 'version')).content).to.deep.equal(lab.model);
    const last = (await lab.names('log/')).filter((name) => !oldSegments.includes(name)).at(-1)!;
    const bytes = readFileSync(join(lab.storeFolder, last));
    for (const at of [80, bytes.length - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1;
      writeFileSync(join(lab.storeFolder, last), damaged);
      const refused = await planPointInTime(await lab.repository(), 'lab', latest, never).catch((error: EngineError) => error.code);
      expect(refused, `byte ${at}`).to.equal('backup-damaged');
    }
  }).timeout(120_000);

  it('takes no stream that is damaged, or whose key is only missing, for one under a key that was destroyed', async () => {
    // Three epoch keys, a backup and a stream of one segment under each.
    const kids: string[] = [];
    for (const [n, value] of ['a', 'b', 'c'].entries()) {
      if (n > 0) await newEpoch(await lab.repository(), new Date(), never);
      kids.push((await lab.repository()).keys.kid);
      wallMs += 1000;
      await lab.write([['backed up', value]]);
      await lab.backup({ clock });
      const log = await shipper();
      await log.tick(never);
      await lab.write([['shipped', value]]);
      wallMs += 1000;
      await log.tick(never);
    }
    const segments = await lab.names('log/');
    expect(segments.length).to.equal(3);
    const outcome = async (): Promise<string> =>
      await planPointInTime(await lab.repository(), 'lab', { timeMs: wallMs + 500 }, never).then(
        ({ version, passedOver }) => `${version}, passed over ${passedOver.join()}`,
        ({ code }: EngineError) => code,
      );
    // In the header: it opens with no key, as if its own were gone.
    const flip = (segment: string): void => {
      const bytes = readFileSync(join(lab.storeFolder, segment));
      bytes[20]! ^= 1;
      writeFileSync(join(lab.storeFolder, segment), bytes);
    };
    flip(segments[1]!);
    await shredEpochKey({ repository: await lab.repository(), kid: kids[0]!, by: 'test', at: new Date(wallMs) }, never);
    expect(await outcome(), 'damaged when another key was destroyed').to.equal('backup-damaged');
    flip(segments[1]!);
    expect(await outcome()).to.equal(`${lab.version}, passed over ${segments[0]!.split('/')[2]}`);
    flip(segments[2]!);
    expect(await outcome(), 'damaged later').to.equal('backup-damaged');
    flip(segments[2]!);
    rmSync(join(lab.storeFolder, 'keys', kids[1]!), { recursive: true });
    expect(await outcome(), 'key missing').to.equal('backup-damaged');
  }).timeout(120_000);

  it('goes on without what was destroyed also where the key could not be had any more', async () => {
    await lab.write(documents(0, 5));
    const log = await shipper();
    await log.tick(never);
    await lab.write([['under', 'the lost key']]);
    await log.tick(never);
    const [segment] = await lab.names('log/');
    const old = await lab.repository();
    const recipients = [openRecipient(await createOfflineKeyFile(join(lab.folder, 'offline')))];
    const [wrap] = await lab.names('keys/');
    await addMissingRecipients(await openRepository({ ...lab.access, recipients }), new Date(), never);
    await newEpoch(old, new Date(), never);
    // Now only the offline key opens it.
    rmSync(join(lab.storeFolder, wrap!));
    await lab.backup({ clock });
    const later = await shipper();
    await later.tick(never);
    await lab.write([['under', 'the new key']]);
    wallMs += 1000;
    await later.tick(never);
    const latest = { timeMs: wallMs + 500 };
    const refused = await planPointInTime(await lab.repository(), 'lab', latest, never).catch((error: EngineError) => error.code);
    expect(refused).to.equal('key-service-failed');
    await shredEpochKey({ repository: await lab.repository(), kid: old.keys.kid, by: 'test', at: new Date(wallMs) }, never);
    const { version, passedOver } = await planPointInTime(await lab.repository(), 'lab', latest, never);
    expect({ version, passedOver }).to.deep.equal({ version: lab.version, passedOver: [segment!.split('/')[2]] });
  }).timeout(120_000);

  it('leaves no version out where the newest backup is newer than the end of the stream that a new one replaces', async () => {
    await lab.write(documents(0, 5));
    await lab.backup({ clock });
    const log = await shipper();
    await log.tick(never);
    await lab.write([['shipped', 'x']]);
    await log.tick(never);
    await lab.write([['between', 'x']]);
    const between = { version: lab.version, content: new Map(lab.model) };
    await lab.write([['backed up', 'x']]);
    await lab.backup({ clock });
    await newEpoch(await lab.repository(), new Date(), never);
    const later = await shipper();
    while ((await later.tick(never)).kind !== 'idle');
    expect((await restored({ version: between.version }, 'between')).content).to.deep.equal(between.content);
  }).timeout(120_000);

  it('takes the history that a failover went on with, though the newest backup is of the one that it left behind', async () => {
    await lab.write(documents(0, 5));
    await lab.backup({ clock });
    const log = await shipper();
    await log.tick(never);
    await lab.write([['shipped', 'x']]);
    await log.tick(never);
    const common = [...documents(0, 5), ['shipped', 'x'] as const].map(([key, value], i): Entry => ({
      epoch: 1,
      index: i + 1,
      op: 'put',
      key,
      value,
    }));
    await lab.write(documents(5, 8));
    wallMs += 1000;
    // Of the primary that was lost: nobody else has what it wrote last.
    await lab.backup({ clock });
    const taken = await databaseOf('taken over', [...common, { epoch: 2, index: 7, op: 'put', key: 'after', value: 'the failover' }]);
    const next = await shipper(taken);
    wallMs += 1000;
    while ((await next.tick(never)).kind !== 'idle');
    await taken.close();
    const { version, content } = await restored({ timeMs: wallMs + 500 }, 'after');
    expect(version).to.equal(7);
    expect(content).to.deep.equal(new Map([...common.map(({ key, value }) => [key, value] as const), ['after', 'the failover']]));
  }).timeout(120_000);

  it('goes on with no stream of a database of before, where one began anew under the same name and counts its versions again', async () => {
    await lab.write(documents(0, 5));
    await lab.backup({ clock });
    const log = await shipper();
    await log.tick(never);
    await lab.write([['shipped', 'x']]);
    await log.tick(never);
    const anew = await databaseOf(
      'anew',
      [...documents(10, 18)].map(([key, value], i): Entry => ({ epoch: 1, index: i + 1, op: 'put', key, value })),
    );
    const next = await shipper(anew);
    const first = await next.tick(never);
    await anew.close();
    expect(first).to.deep.include({ kind: 'new-stream' });
    expect(next.head).to.include({ end: 8 });
  }).timeout(120_000);

  it('goes from a backup of a database that began anew on with no log of the one before, which had the same versions under the same epochs', async () => {
    await lab.write(documents(0, 5));
    await lab.backup({ clock });
    const log = await shipper();
    await log.tick(never);
    for (const n of [5, 15, 25, 35]) {
      await lab.write(documents(n, n + 10));
      await log.tick(never);
    }
    const rows = [...documents(100, 130)];
    const anew = await databaseOf(
      'anew',
      rows.map(([key, value], i): Entry => ({ epoch: 1, index: i + 1, op: 'put', key, value })),
    );
    await anew.close();
    wallMs += 1000;
    await lab.backup({ clock, source: embeddedSource(join(lab.folder, 'anew')) });
    const { version, content } = await restored({ timeMs: wallMs + 500 }, 'of now');
    const { windows } = await describeLog(await lab.repository(), 'lab', never);
    expect(windows.map(({ from, to }) => [from.version, to.version])).to.deep.equal([[5, 45]]);
    expect({ version, content }).to.deep.equal({ version: 30, content: new Map(rows) });
  }).timeout(120_000);

  it('takes no backup for older than the one before it, though the clock of who made it was behind', async () => {
    await lab.write(documents(0, 5));
    await lab.backup({ clock });
    const log = await shipper();
    await log.tick(never);
    await lab.write([['good', 'x']]);
    wallMs += 1000;
    await log.tick(never);
    const before = { timeMs: wallMs + 5000, content: new Map(lab.model) };
    wallMs += 10_000;
    await lab.backup({ clock });
    await lab.write([['good', null]]);
    await lab.backup({ clock: { ...clock, wall: () => new Date(wallMs - 3_600_000) } });
    await lab.backup({ clock });
    await log.tick(never);
    expect((await restored({ timeMs: before.timeMs }, 'before')).content).to.deep.equal(before.content);
  }).timeout(120_000);

  it('takes no backup, and nothing of the log, for a time that is over where it may hold what came later, as a clock was behind, and says which backup', async () => {
    await lab.write(documents(0, 5));
    await lab.backup({ clock });
    const log = await shipper();
    await log.tick(never);
    await lab.write([['shipped', 'x']]);
    wallMs += 1000;
    await log.tick(never);
    wallMs += 10_000;
    await lab.backup({ clock });
    await lab.write([['good', 'x']]);
    await log.tick(never);
    const good = { version: lab.version, content: new Map(lab.model) };
    wallMs += 60_000;
    await lab.write([['good', null]]);
    wallMs -= 75_000;
    const behind = await lab.backup({ clock });
    await log.tick(never);
    wallMs += 75_000;
    const nowMs = wallMs + 60_000;
    const planFor = async (timeMs: number): ReturnType<typeof planPointInTime> =>
      await planPointInTime(await lab.repository(), 'lab', { timeMs }, never, nowMs);
    const told = async (timeMs: number): Promise<unknown> => {
      const { version, passedOverBackups } = await planFor(timeMs);
      return { version, passedOver: passedOverBackups.map(({ backupId, setAside }) => ({ backupId, setAside })) };
    };
    const passedOver = [{ backupId: behind.manifest.backupId, setAside: false }];
    expect(await told(wallMs - 30_000)).to.deep.equal({ version: good.version, passedOver });
    expect((await restored({ timeMs: wallMs - 30_000 }, 'good')).content).to.deep.equal(good.content);
    expect(await told(nowMs)).to.deep.equal({ version: lab.version, passedOver: [] });
    // The next ones tell when those were there.
    await lab.write([['later', 'x']]);
    wallMs += 1000;
    await log.tick(never);
    expect(await told(wallMs - 500)).to.deep.equal({ version: good.version, passedOver });
    expect(await told(wallMs + 500)).to.deep.equal({ version: lab.version, passedOver });
    wallMs += 1000;
    await lab.backup({ clock });
    expect(await told(wallMs - 500)).to.deep.equal({ version: lab.version, passedOver });
    expect(await told(wallMs + 500)).to.deep.equal({ version: lab.version, passedOver: [] });
  }).timeout(120_000);

  it('says how far the log reaches, and begins a new stream where the log was trimmed away', async () => {
    await lab.write(documents(0, 5));
    await lab.backup({ clock });
    const log = await shipper();
    expect((await log.tick(never)).kind).to.equal('new-stream');
    await lab.write(documents(5, 10));
    expect((await log.tick(never)).kind).to.equal('shipped');
    expect((await log.tick(never)).kind).to.equal('idle');
    await lab.write(documents(10, 20));
    await lab.trimLog(lab.version);
    await lab.write([['after', 'trim']]);
    expect(await log.tick(never)).to.include({ kind: 'new-stream' });
    const failure = await restored({ version: 15 }, 'none').catch((error: Error) => error.message);
    expect(failure).to.match(/cannot restore to version 15/);
    expect((await restored({ version: 8 }, 'eight')).content.size).to.equal(8);
  }).timeout(120_000);
});

/** A small generator of numbers in [0, 1) from a seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
