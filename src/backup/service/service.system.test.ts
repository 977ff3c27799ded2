import { expect } from 'chai';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { systemClock } from '../../platform/clock.ts';
import { HttpsClient } from '../../platform/https-client.ts';
import { loadCredentials } from '../../platform/tls.ts';
import { DatabaseCluster } from '../../testing/database-cluster.ts';
import { REGIONS, type Region } from '../../testing/test-config.ts';
import { WITH_PARENT } from '../../testing/with-parent.ts';

const MAIN = resolve(import.meta.dirname, '../../main.js');
/** Only a bound: a busy machine takes its time. */
const WAIT_MS = 120_000;
const TEST_MS = 600_000;
/** Two seconds: what is older may be pruned where that is on. */
const RETENTION_DAYS = 2 / 86_400;
const run = promisify(execFile);

interface Listed {
  readonly backupId: string;
  readonly problem: string | null;
  readonly version: string;
  readonly records: number;
}

interface Line {
  readonly region: Region;
  readonly timestamp: string;
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A cluster's programs of backups, all on one store, with a configuration of their own: one that prunes must not be another's. */
class Backups {
  static #made = 0;
  readonly cluster: DatabaseCluster;
  readonly lines: Line[] = [];
  readonly #file = `backup-${Backups.#made++}.yaml`;
  readonly #started: ChildProcess[] = [];
  readonly #services = new Map<Region, ChildProcess>();

  constructor(cluster: DatabaseCluster, storeFolder: string, change: Readonly<Record<string, unknown>> = {}) {
    this.cluster = cluster;
    for (const region of REGIONS) {
      const own = join(cluster.folder, region);
      const config = JSON.parse(readFileSync(join(own, 'database.yaml'), 'utf8')) as object;
      const backup = {
        cluster: { id: 'lab' },
        store: { kind: 'folder', path: join(storeFolder, 'store') },
        keys: { kind: 'local-file', path: join(storeFolder, 'backup.key') },
        signing: { key_file: join(storeFolder, 'signing.pem') },
        listen: { host: '127.0.0.1', port: 0 },
        interval_seconds: 0.5,
        jitter_seconds: 0,
        workers: 1,
        pack_bytes: 65536,
        verify_seconds: null,
        ...change,
      };
      writeFileSync(this.#config(region), JSON.stringify({ ...config, backup_retention_days: RETENTION_DAYS, backup }));
    }
  }

  async command(region: Region, ...words: readonly string[]): Promise<unknown> {
    const { stdout } = await run(process.execPath, [MAIN, 'backup', ...words, '--json', '--config', this.#config(region)]);
    return JSON.parse(stdout);
  }

  async list(): Promise<readonly Listed[]> {
    return (await this.command('us-east1', 'list')) as readonly Listed[];
  }

  start(region: Region): void {
    const child = spawn('setpriv', [...WITH_PARENT, process.execPath, MAIN, 'backup-service', '--config', this.#config(region)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push({ region, ...(JSON.parse(line) as object) } as never));
    this.#services.set(region, child);
    this.#started.push(child);
  }

  async end(region: Region, signal: NodeJS.Signals): Promise<void> {
    const child = this.#services.get(region);
    this.#services.delete(region);
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    for (const end = systemClock.monotonicMs() + WAIT_MS; systemClock.monotonicMs() < end; await systemClock.sleep(50)) if (holds()) return;
    throw new Error(`not in time: ${what}; ${JSON.stringify(this.lines.slice(-10))}`);
  }

  /** A number that the service of a region shows at /metrics. */
  async metric(region: Region, name: string): Promise<number> {
    const port = this.lines.findLast((line) => line.action === 'listening' && line.region === region)?.details['port'];
    const own = join(this.cluster.folder, region);
    const { tls } = JSON.parse(readFileSync(this.#config(region), 'utf8')) as { tls: Parameters<typeof loadCredentials>[0] };
    const client = new HttpsClient(loadCredentials(tls, own));
    const result = await client.call(`https://127.0.0.1:${String(port)}/metrics`, { timeoutMs: 20_000 });
    client.close();
    if (result.kind !== 'reply') throw new Error(result.reason);
    const found = new RegExp(`^coditect_dr_backup_${name}{region="${region}"} (.*)$`, 'm').exec(result.body.toString());
    return found?.[1] === undefined ? Number.NaN : Number(found[1].replace('+Inf', 'Infinity'));
  }

  /** Asks until the number is as it should be. */
  async untilMetric(region: Region, name: string, holds: (value: number, askedMs: number) => boolean): Promise<void> {
    for (const end = systemClock.monotonicMs() + WAIT_MS; systemClock.monotonicMs() < end; await systemClock.sleep(100)) {
      const askedMs = systemClock.monotonicMs();
      if (holds(await this.metric(region, name), askedMs)) return;
    }
    throw new Error(`not in time: ${name}; ${JSON.stringify(this.lines.slice(-10))}`);
  }

  completed(by?: Region): number {
    return this.lines.filter(({ action, region }) => action === 'backup_complete' && (by === undefined || region === by)).length;
  }

  async stop(): Promise<void> {
    for (const region of this.#services.keys()) await this.end(region, 'SIGKILL');
    for (const child of this.#started) child.kill('SIGKILL'); // also what a test that failed has left
  }

  #config(region: Region): string {
    return join(this.cluster.folder, region, this.#file);
  }
}

const FAILED = /^backup_(verification_)?failed$/;
const isRightLost = ({ details }: Line): boolean => JSON.stringify(details).includes('lease-lost');

describe('backups of a running system', () => {
  let cluster: DatabaseCluster;
  let backups: Backups;
  before(async () => {
    cluster = await DatabaseCluster.start('sync');
    for (const region of REGIONS) cluster.startProgram('database', region);
    await cluster.until('us-central1', 'writable', ({ writable }) => writable);
    backups = new Backups(cluster, cluster.folder);
    await backups.command('us-east1', 'init');
  });
  after(async () => {
    await backups.stop();
    await cluster.stop();
  });

  it('are made on time by one region at a time, and by another when that one dies', async () => {
    for (let n = 0; n < 20; n++) expect((await cluster.put('us-central1', `k${n}`, `v${n}`))?.status).to.equal(200);
    backups.start('us-east1');
    backups.start('europe-west1');
    await backups.until('three backups', () => backups.completed() >= 3);
    const by = backups.lines.findLast(({ action }) => action === 'backup_complete')!.region;
    await backups.end(by, 'SIGKILL');
    const other = by === 'us-east1' ? 'europe-west1' : 'us-east1';
    const before = backups.completed(other);
    await backups.until('two by the other', () => backups.completed(other) >= before + 2);
    await backups.end(other, 'SIGTERM');
    const listed = await backups.list();
    expect(listed.filter(({ problem }) => problem !== null)).to.deep.equal([]);
    expect(listed.at(-1)?.records).to.be.at.least(20);
    const epochs = backups.lines.filter(({ action }) => action === 'backup_started').map(({ details }) => Number(details['lease_epoch']));
    expect(new Set(epochs).size).to.equal(epochs.length);
  }).timeout(TEST_MS);

  it('go on under a new epoch key, log and all, so that the old one can be destroyed; and tell their age', async () => {
    const begun = backups.lines.length;
    backups.start('us-east1');
    const before = backups.completed();
    await backups.until('a backup', () => backups.completed() > before);
    expect(await backups.metric('us-east1', 'verified_age_seconds')).to.equal(Number.POSITIVE_INFINITY);
    const old = (await backups.command('us-east1', 'show', 'latest')) as { manifest: { kid: string; epoch: string } };
    const rewrapping = backups.lines.length;
    expect(await backups.command('us-east1', 'rewrap', '--new-epoch')).to.include({ epoch: '2' });
    await backups.until('a new stream', () => backups.lines.slice(rewrapping).some(({ action }) => action === 'backup_log_new_stream'));
    const index = (await cluster.put('us-central1', 'under', 'the new key'))?.json['index'] as number;
    // One other region is enough to acknowledge it: whose copy is backed up may not have it yet.
    await cluster.until('us-east1', 'caught up', ({ appliedIndex }) => appliedIndex >= index);
    const since = backups.completed();
    await backups.until('two more backups', () => backups.completed() >= since + 2);
    const { manifest } = (await backups.command('us-east1', 'show', 'latest')) as typeof old;
    expect(manifest.epoch).to.equal('2');
    expect(Number((await backups.list()).at(-1)?.version)).to.be.at.least(index);
    await backups.command('us-east1', 'verify', 'latest', '--level', '3');
    // Told from the next look at the store on.
    await backups.untilMetric('us-east1', 'verified_age_seconds', (seconds) => seconds < Number.POSITIVE_INFINITY);
    expect(await backups.metric('us-east1', 'age_seconds')).to.be.lessThan(TEST_MS / 1000);
    const failed = (): readonly Line[] => backups.lines.slice(begun).filter(({ action }) => action === 'backup_failed');
    await backups.untilMetric('us-east1', 'failures_total', (count) => count === failed().length);
    expect(failed().filter((line) => !isRightLost(line))).to.deep.equal([]);
    expect(await backups.metric('us-east1', 'last_bytes')).to.be.greaterThan(0);
    expect(await backups.metric('us-east1', 'last_duration_seconds')).to.be.greaterThan(0);
    await backups.end('us-east1', 'SIGTERM');
    const shred = (await backups.command('us-east1', 'shred', old.manifest.kid, '--confirm', old.manifest.kid)) as { wraps: number };
    expect(shred.wraps).to.equal(1);
    await backups.command('us-east1', 'verify', 'latest', '--level', '3');
  }).timeout(TEST_MS);

  it('are verified and pruned by themselves, by one region at a time, and what is left is whole', async () => {
    const upkeep = new Backups(cluster, cluster.folder, { verify_seconds: 1, prune: true, grace_hours: 0, minimum_backups: 1 });
    try {
      for (const region of ['us-east1', 'europe-west1'] as const) upkeep.start(region);
      const said = (action: string) => upkeep.lines.filter((line) => line.action === action);
      const pruned = (): readonly Line[] => said('backup_pruned').filter(({ details }) => (details['deleted'] as []).length > 0);
      await upkeep.until('something pruned', () => pruned().length > 0);
      const lines = [...upkeep.lines];
      await Promise.all((['us-east1', 'europe-west1'] as const).map((region) => upkeep.end(region, 'SIGTERM')));
      expect(said('backup_verified')).to.not.deep.equal([]);
      expect(said('backup_damaged')).to.deep.equal([]);
      const failed = lines.filter(({ action }) => FAILED.test(action));
      expect(failed.filter((line) => !isRightLost(line))).to.deep.equal([]);
      // Each backup and each verification has the right to write for itself, and gives it back before the next; but a machine that stalls loses it in between.
      const work = lines
        .filter(({ action }) => /^backup_(started|complete|verification_started|verified)$/.test(action))
        .toSorted((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0));
      for (const [n, { action, region }] of work.entries())
        if (failed.length === 0 && action.endsWith('started') && n + 1 < work.length) expect(work[n + 1]).to.include({ region });
      const left = await upkeep.list();
      const deleted = said('backup_pruned').flatMap(({ details }) => details['deleted'] as string[]);
      expect(left.filter(({ backupId }) => deleted.includes(backupId))).to.deep.equal([]);
      for (const { backupId } of [...left.slice(0, 2), ...left.slice(2).slice(-2)])
        await upkeep.command('us-east1', 'verify', backupId, '--level', '3');
    } finally {
      await upkeep.stop();
    }
  }).timeout(TEST_MS);

  it('bring everything back where all regions were lost', async () => {
    const last = await cluster.put('us-central1', 'last', 'words');
    expect(last?.status).to.equal(200);
    const caughtUp = async (index: number): Promise<unknown> =>
      await cluster.until('us-east1', 'caught up', ({ appliedIndex }) => appliedIndex >= index);
    await caughtUp(last!.json['index'] as number);
    await backups.command('us-east1', 'create');
    // What no backup has, but the log.
    const begun = backups.lines.length;
    backups.start('us-east1');
    await backups.until('the service', () => backups.lines.slice(begun).some(({ action }) => action === 'started'));
    const index = (await cluster.put('us-central1', 'after', 'the backup'))?.json['index'] as number;
    const content = await cluster.exported('us-central1');
    const unwanted = await cluster.put('us-central1', 'unwanted', 'mistake');
    await caughtUp(unwanted?.json['index'] as number);
    const thereMs = systemClock.monotonicMs();
    // Shipped is all that was there when a look that came after began.
    await backups.untilMetric('us-east1', 'log_age_seconds', (seconds, askedMs) => seconds * 1000 < askedMs - thereMs);
    await backups.end('us-east1', 'SIGTERM');
    const empty = await DatabaseCluster.start('sync');
    try {
      const elsewhere = new Backups(empty, cluster.folder);
      const restored = (await elsewhere.command(
        'us-central1',
        'restore',
        'latest',
        '--into',
        'us-central1',
        '--to-version',
        `${index}`,
      )) as { records: number };
      expect(restored.records).to.equal(content.size);
      for (const region of REGIONS) empty.startProgram('database', region);
      await empty.until('us-central1', 'writable', ({ writable }) => writable);
      expect(await empty.exported('us-central1')).to.deep.equal(content);
      expect((await empty.put('us-central1', 'first', 'again'))?.status).to.equal(200);
    } finally {
      await empty.stop();
    }
  }).timeout(TEST_MS);
});
