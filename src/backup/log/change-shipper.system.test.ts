import { expect } from 'chai';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaptureStep, ChangeLog } from '../../database/change-log.ts';
import { systemClock } from '../../platform/clock.ts';
import { BackupLab } from '../../testing/backup-lab.ts';
import type { Change } from '../format/change-segment.ts';
import { SIGNED_HEADER_BYTES } from '../format/signing.ts';
import type { Manifest } from '../format/manifest.ts';
import { listBackups } from '../repository/catalog.ts';
import { newEpoch } from '../repository/rewrap.ts';
import { shredEpochKey } from '../repository/shred.ts';
import { garbageOf } from '../retention/garbage.ts';
import { ChangeShipper } from './change-shipper.ts';
import { describeLog } from './describe-log.ts';
import { planPointInTime } from './point-in-time.ts';
import { listStreams } from './segments.ts';
import type { Shipped } from './shipper.ts';

const never = new AbortController().signal;
const JUMP = 1_000_000;
const EPOCH = 1;
const WALL_MS = Date.parse('2030-01-01T00:00:00Z');

/** What a test says that a database has changed. */
class Source implements ChangeLog {
  begins: { version: number; epoch: number } | string = 'not yet';
  readonly steps: CaptureStep[] = [];
  readonly asked: (readonly [number, number])[] = [];
  done_ = 0;

  begin(): ReturnType<ChangeLog['begin']> {
    return Promise.resolve(this.begins);
  }
  after(version: number, epoch: number): ReturnType<ChangeLog['after']> {
    this.asked.push([version, epoch]);
    return Promise.resolve(this.steps[0] ?? { kind: 'waiting' });
  }
  done(): Promise<void> {
    this.steps.shift();
    this.done_++;
    return Promise.resolve();
  }
  close(): Promise<null> {
    return Promise.resolve(null);
  }
}

const change = (version: number, key: string, value: string | null, epoch = EPOCH): Change => ({
  version,
  epoch,
  op: value === null ? 'delete' : 'put',
  key: Buffer.from(key),
  value: Buffer.from(value ?? ''),
});

/** On a repository in a folder; the backup is of an embedded database, since only its version and epoch matter. */
describe('the log of a database that captures what it changes', function () {
  this.timeout(60_000);
  let lab: BackupLab;
  let source: Source;
  let shipper: ChangeShipper;
  let base: Manifest;
  let from: number;
  const model = new Map<string, string>();
  beforeEach(async () => {
    lab = await BackupLab.open();
    await lab.write([
      ['a', 'of the backup'],
      ['b', 'of the backup'],
    ]);
    base = (await lab.backup()).manifest;
    from = Number(base.readVersion);
    source = new Source();
    shipper = await newShipper();
    model.clear();
    for (const [key, value] of lab.model) model.set(key, value);
  });
  afterEach(() => lab.close());

  const newShipper = async (): Promise<ChangeShipper> => {
    const repository = await lab.repository();
    return new ChangeShipper({ repository: () => Promise.resolve(repository), cluster: 'lab', source, clock: systemClock });
  };
  const captured = (
    begin: number,
    end: number,
    changes: readonly Change[],
    more: { again?: readonly Change[]; broken?: string } = {},
  ): CaptureStep => ({
    kind: 'captured',
    captured: { begin, end, again: more.again ?? [], changes, wallMs: WALL_MS + Math.floor(end / 1000) },
    broken: more.broken ?? null,
  });
  const tick = async (): Promise<Shipped['kind']> => (await shipper.tick(never)).kind;
  const begun = async (): Promise<void> => {
    source.begins = { version: from, epoch: EPOCH };
    expect(await tick()).to.equal('new-stream');
  };
  const restored = async (version: number): Promise<Map<string, string>> => {
    const { manifest, log } = await planPointInTime(await lab.repository(), 'lab', { version }, never);
    lab.forget('point');
    return await lab.restore(manifest, 'point', { log, workers: 0 });
  };
  const streams = async (): Promise<number> => (await listStreams(await lab.repository(), 'lab', never)).length;

  it('leads from a backup to any version of it, and to no other', async () => {
    const waiting = await shipper.tick(never);
    expect(waiting).to.deep.equal({ kind: 'waiting', behindMs: null, why: 'no stream (there is none yet): not yet' });
    await begun();
    const end = from + 3 * JUMP;
    source.steps.push(
      captured(from + 1, end, [change(from + 7, 'a', 'new'), change(from + 7, 'c', 'new'), change(from + 2 * JUMP, 'b', null, 3)]),
      captured(end + 1, end + JUMP, []),
    );
    expect([await tick(), await tick(), await tick()]).to.deep.equal(['shipped', 'shipped', 'waiting']);
    expect(source.asked).to.deep.equal([
      [from, EPOCH],
      [end, 3],
      [end + JUMP, 3],
    ]);
    expect(source.done_).to.equal(2);
    expect(await restored(from + 6)).to.deep.equal(model);
    const changed = new Map([...model, ['a', 'new'], ['c', 'new']]);
    expect(await restored(from + 7)).to.deep.equal(changed);
    expect(await restored(from + 2 * JUMP - 1)).to.deep.equal(changed);
    changed.delete('b');
    for (const version of [from + 2 * JUMP, end, end + 1, end + JUMP]) expect(await restored(version)).to.deep.equal(changed);
    for (const [version, why] of [
      [end + JUMP + 1, /ends at version/],
      [from - 1, new RegExp(`no backup is that old \\(the oldest is of version ${from}`)],
    ] as const)
      expect(await restored(version).catch((error: Error) => error.message)).to.match(why);
    const { windows } = await describeLog(await lab.repository(), 'lab', never);
    expect(windows.map((window) => [window.backupId, window.from.version, window.to.version])).to.deep.equal([
      [base.backupId, from, end + JUMP],
    ]);
  });

  it('parts what is more than a segment between versions only', async () => {
    await begun();
    const large = 'x'.repeat(1024 * 1024);
    const changes = [1, 2, 2, 2, 2, 2, 2, 3, 4].map((step, n) => change(from + step, `large/${n}`, large));
    source.steps.push(captured(from + 1, from + JUMP, changes));
    await tick();
    const [stream] = await listStreams(await lab.repository(), 'lab', never);
    expect(stream?.begins).to.deep.equal([from + 1, from + 3]);
    expect((await restored(from + 3)).size).to.equal(model.size + 8);
    expect((await restored(from + 4)).size).to.equal(model.size + 9);
  });

  it('goes on after a restart, also where what was stored is captured once more; where it is not the same, in a new stream', async () => {
    await begun();
    const first = change(from + 5, 'a', '1');
    source.steps.push(captured(from + 1, from + 10, [first]));
    await tick();
    shipper = await newShipper();
    const again = { again: [first] };
    source.steps.push(captured(from + 1, from + 10, [], again), captured(from + 1, from + 20, [change(from + 15, 'a', '2')], again));
    expect([await tick(), await tick()]).to.deep.equal(['shipped', 'shipped']);
    expect((await restored(from + 20)).get('a')).to.equal('2');
    expect(await streams()).to.equal(1);
    for (const other of [[], [change(from + 5, 'a', 'other')], [first, change(from + 6, 'z', 'more')]]) {
      shipper = await newShipper();
      source.steps[0] = captured(from + 1, from + 30, [], { again: other });
      const shipped = await shipper.tick(never);
      expect(shipped.kind === 'new-stream' && shipped.why).to.match(/the database went back/);
    }
  });

  it('ends where nothing leads on, and the next begins where it is told: a backup from before that is not continued by it', async () => {
    await begun();
    expect(shipper.hasParted({ epoch: EPOCH, index: from })).to.equal(false);
    source.begins = { version: from + JUMP, epoch: 5 };
    source.steps.push(captured(from + 1, from + 10, [change(from + 5, 'a', '1')], { broken: 'it was emptied' }));
    const shipped = await shipper.tick(never);
    expect(shipped.kind === 'new-stream' && shipped.why).to.equal('it was emptied');
    expect((await restored(from + 10)).get('a'), 'what came before it').to.equal('1');
    for (const [end, parted] of [
      [{ epoch: EPOCH, index: from }, true],
      [{ epoch: EPOCH, index: from + 2 * JUMP }, true],
      [{ epoch: 5, index: from + JUMP }, false],
    ] as const)
      expect(shipper.hasParted(end), JSON.stringify(end)).to.equal(parted);
    source.steps.push(captured(from + JUMP + 1, from + 2 * JUMP, [change(from + JUMP + 1, 'a', '2', 5)]));
    expect(await tick()).to.equal('shipped');
    for (const version of [from + 11, from + JUMP, from + 2 * JUMP])
      expect(await restored(version).catch(() => 'refused')).to.equal('refused');
    source.steps.push({ kind: 'lost', why: 'it is gone' });
    source.begins = 'nobody serves';
    const over = await shipper.tick(never);
    expect(over.kind === 'waiting' && over.why).to.equal('no stream (it is gone): nobody serves');
  });

  it('begins anew under a new epoch key, and what was under one that was destroyed is no window and no damage', async () => {
    await begun();
    source.steps.push(captured(from + 1, from + 10, [change(from + 5, 'a', '1')]));
    await tick();
    const old = await lab.repository();
    await newEpoch(old, new Date(), never);
    shipper = await newShipper();
    source.begins = { version: from + JUMP, epoch: EPOCH };
    expect(await tick()).to.equal('new-stream');
    source.steps.push(captured(from + JUMP + 1, from + 2 * JUMP, [change(from + 2 * JUMP, 'a', '2')]));
    expect(await tick()).to.equal('shipped');
    const [first, second] = await listStreams(await lab.repository(), 'lab', never);
    await shredEpochKey({ repository: await lab.repository(), kid: old.keys.kid, by: 'test', at: new Date() }, never);
    const { windows, problems, destroyed } = await describeLog(await lab.repository(), 'lab', never);
    expect({ windows, problems, destroyed }).to.deep.equal({ windows: [], problems: [], destroyed: [first!.stream] });
    expect(second!.begins).to.deep.equal([from + JUMP + 1]);
  });

  it('is not needed where all backups have it already; the end of a stream that nobody can read stays as long as it may hold more', async () => {
    await begun();
    for (let n = 0; n < 3; n++) source.steps.push(captured(from + 1 + n * JUMP, from + (n + 1) * JUMP, []));
    for (let n = 0; n < 3; n++) await tick();
    source.steps.push({ kind: 'lost', why: 'it is gone' });
    source.begins = { version: from + 9 * JUMP, epoch: EPOCH };
    await tick();
    source.steps[0] = captured(from + 9 * JUMP + 1, from + 10 * JUMP, []);
    await tick();
    const names = await lab.names('log/');
    const needless = async (version: number): Promise<{ readonly log: readonly string[]; readonly damaged: readonly string[] }> => {
      const repository = await lab.repository();
      const kept = (await listBackups(repository, 'lab')).map((entry) => ({
        ...entry,
        manifest: { ...entry.manifest!, readVersion: String(version) },
      }));
      const { garbage, damagedLog } = await garbageOf(repository, { cluster: 'lab', kept, others: [] }, never);
      return { log: garbage.map(({ name }) => name).filter((name) => name.startsWith('log/')), damaged: damagedLog };
    };
    expect(await needless(from + JUMP - 1)).to.deep.equal({ log: [], damaged: [] });
    expect(await needless(from + 2 * JUMP)).to.deep.equal({ log: names.slice(0, 2), damaged: [] });
    expect(await needless(from + 20 * JUMP)).to.deep.equal({ log: names.slice(0, 3), damaged: [] });
    writeFileSync(join(lab.storeFolder, names[2]!), 'damaged');
    expect(await needless(from + 20 * JUMP)).to.deep.equal({ log: names.slice(0, 2), damaged: [names[2]] });
    expect(await needless(from + 5_000_000_000)).to.deep.equal({ log: names.slice(0, 3), damaged: [] });
  });

  it('where a segment is damaged, missing or of another stream, no window goes over it, and it is named', async () => {
    await begun();
    for (let n = 0; n < 3; n++)
      source.steps.push(captured(from + 1 + n * 10, from + 10 + n * 10, [change(from + 5 + n * 10, 'a', `${n}`)]));
    for (let n = 0; n < 3; n++) await tick();
    const names = await lab.names('log/');
    const path = join(lab.storeFolder, names[1]!);
    const whole = readFileSync(path);
    const changed = Buffer.from(whole);
    changed[150] = changed[150]! ^ 1;
    // Without its signature it would open.
    const unsigned = whole.subarray(SIGNED_HEADER_BYTES);
    for (const bytes of [
      whole.subarray(0, whole.length - 1),
      changed,
      unsigned,
      readFileSync(join(lab.storeFolder, names[2]!)),
      Buffer.alloc(0),
    ]) {
      writeFileSync(path, bytes);
      const { windows, problems } = await describeLog(await lab.repository(), 'lab', never);
      expect(windows.map(({ to }) => to.version)).to.deep.equal([from + 10]);
      expect(problems.join()).to.include(names[1]);
      expect(await restored(from + 15).catch((error: Error) => error.message)).to.include(names[1]);
      expect((await restored(from + 5)).get('a')).to.equal('0');
    }
    writeFileSync(path, whole);
    expect((await restored(from + 30)).get('a')).to.equal('2');
  });
});
