import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedSource } from '../backup/pipeline/embedded-source.ts';
import { createBackup, type Created, type CreateOptions } from '../backup/pipeline/create.ts';
import type { Manifest } from '../backup/format/manifest.ts';
import { tailIn } from '../backup/log/log-tail.ts';
import type { Anchor } from '../backup/log/shipper.ts';
import { listBackups, trustedOf } from '../backup/repository/catalog.ts';
import { restoreBackup, type RestoreOptions, type Restored } from '../backup/restore/restore.ts';
import { initRepository, openRepository, type Repository, type RepositoryAccess } from '../backup/repository/repository.ts';
import type { Database, Entry } from '../database/database.ts';
import { openLmdb } from '../database/lmdb.ts';
import { createLocalKeyFile, openLocalKeyFile } from '../keys/local-key-file.ts';
import { openRecipient } from '../keys/offline-key.ts';
import { openFolderStore } from '../objectstore/folder-store.ts';
import type { ObjectStore } from '../objectstore/object-store.ts';
import { systemClock } from '../platform/clock.ts';

/** A database, and a repository in a folder, for tests; what the database should hold is kept beside it. The owner calls `close`. */
export class BackupLab {
  readonly folder: string;
  readonly databaseFolder: string;
  readonly storeFolder: string;
  readonly model = new Map<string, string>();
  readonly access: RepositoryAccess;
  readonly #database: Database;

  private constructor(folder: string, access: RepositoryAccess) {
    this.folder = folder;
    this.databaseFolder = join(folder, 'data', 'db');
    this.storeFolder = join(folder, 'store');
    this.access = access;
    mkdirSync(join(folder, 'data'));
    this.#database = openLmdb(this.databaseFolder);
  }

  /** @param store default: a folder */
  static async open(store?: ObjectStore, recipients: readonly string[] = []): Promise<BackupLab> {
    const folder = mkdtempSync(join(tmpdir(), 'coditect-backup-'));
    await createLocalKeyFile(join(folder, 'key'));
    const { privateKey } = generateKeyPairSync('ed25519');
    const access = {
      store: store ?? (await openFolderStore(join(folder, 'store'), Date.now())),
      service: await openLocalKeyFile(join(folder, 'key')),
      recipients: recipients.map(openRecipient),
      signingKey: privateKey,
      trusted: [createPublicKey(privateKey)],
    };
    await initRepository(access, new Date());
    return new BackupLab(folder, access);
  }

  get version(): number {
    return this.#database.state().commitIndex;
  }

  /** Writes and commits; null deletes. */
  async write(changes: Iterable<readonly [string, string | null]>, epoch = 1): Promise<void> {
    const first = this.#database.state().log.index + 1;
    const entries = [...changes].map(([key, value], i): Entry => ({
      epoch,
      index: first + i,
      op: value === null ? 'delete' : 'put',
      key,
      value: value ?? '',
    }));
    await this.#database.append(entries);
    this.#database.commit(first + entries.length - 1);
    await this.#database.seal(0);
    for (const { op, key, value } of entries) {
      if (op === 'put') this.model.set(key, value);
      else this.model.delete(key);
    }
  }

  async trimLog(through: number): Promise<void> {
    await this.#database.trim(through);
  }

  /** Where the log begins that follows each backup, the newest first. */
  async logEnds(repository: Repository): Promise<readonly Anchor[]> {
    return trustedOf(await listBackups(repository, 'lab'))
      .toReversed()
      .map(tailIn);
  }

  async repository(): Promise<Repository> {
    return await openRepository(this.access);
  }

  async backup(options: Partial<CreateOptions> = {}, signal: AbortSignal = new AbortController().signal): Promise<Created> {
    return await createBackup(
      {
        repository: options.repository ?? (await this.repository()),
        source: embeddedSource(this.databaseFolder),
        workers: 2,
        level: 1,
        packBytes: 64 * 1024,
        lease: { epoch: '1', holder: 'us-east1', check: () => Promise.resolve() },
        fullScan: false,
        clock: systemClock,
        onProgress: () => undefined,
        excluded: new Set(),
        marked: () => Promise.resolve(new Set()),
        cluster: { id: 'lab', description: '' },
        region: 'us-east1',
        configDigest: '0'.repeat(64),
        retentionDays: 30,
        labels: {},
        objectives: { rpoSeconds: 5, rtoSeconds: 10 },
        toolVersion: '0',
        log: null,
        ...options,
      },
      signal,
    );
  }

  /** Restores into an empty folder `name` and gives what a database opened there holds. */
  async restore(manifest: Manifest, name: string, options: Partial<RestoreOptions> = {}): Promise<Map<string, string>> {
    await this.restoreOnly(manifest, name, options);
    return await this.contentOf(name);
  }

  async restoreOnly(
    manifest: Manifest,
    name: string,
    options: Partial<RestoreOptions> = {},
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Restored> {
    return await restoreBackup(
      {
        repository: options.repository ?? (await this.repository()),
        manifest,
        databaseFolder: join(this.folder, name, 'db'),
        workers: 2,
        prefix: null,
        log: null,
        clock: systemClock,
        onProgress: () => undefined,
        ...options,
      },
      signal,
    );
  }

  /** Names of all objects that are there, in order. */
  async names(prefix = ''): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const { name } of this.access.store.list(prefix)) found.push(name);
    return found;
  }

  async contentOf(name: string): Promise<Map<string, string>> {
    const database = openLmdb(join(this.folder, name, 'db'));
    const content = new Map<string, string>();
    for await (const { key, value } of (await database.snapshot()).rows) content.set(key, value);
    await database.close();
    return content;
  }

  /** Removes what was restored under the name. */
  forget(name: string): void {
    rmSync(join(this.folder, name), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.#database.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Records of varied length whose content follows from their number. */
export function* documents(from: number, to: number, version = 0): Generator<[string, string]> {
  for (let n = from; n < to; n++)
    yield [`doc/${String(n).padStart(8, '0')}`, JSON.stringify({ n, version, text: 'abc '.repeat((n * 7919) % 300) })];
}
