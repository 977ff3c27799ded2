import { spawn } from 'node:child_process';
import { createHash, createPublicKey, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Manifest } from '../backup/format/manifest.ts';
import { listBackups } from '../backup/repository/catalog.ts';
import { openRepository, type Repository } from '../backup/repository/repository.ts';
import type { Database, Entry } from '../database/database.ts';
import { openLmdb } from '../database/lmdb.ts';
import { openLocalKeyFile } from '../keys/local-key-file.ts';
import { createOfflineKeyFile } from '../keys/offline-key.ts';
import { openFolderStore } from '../objectstore/folder-store.ts';
import { backupCommandConfig } from './backup-command-config.ts';

const MAIN = resolve(import.meta.dirname, '../main.js');
/** Backups are over their time so soon that prune has some to delete. */
const RETENTION_DAYS = 15 / 86_400;
/** The newest, which is verified before each prune: with more, prune would rightly refuse where older ones are over their time and nobody has verified them. */
export const MINIMUM_BACKUPS = 1;
const DOCUMENTS = 5000;
const CHANGES = 3000;
const LOOK_MS = 5;

/** When a command is killed: so long after its start, or after the first moment in which something in the store or the target is other than before. */
export interface KillMoment {
  readonly from: 'start' | 'change';
  readonly afterMs: number;
}

/** What there is between two commands. */
export interface Seen {
  /** All objects of the store, and the state of the target. */
  readonly objects: string;
  readonly backups: readonly string[];
  readonly tombstones: ReadonlySet<string>;
}

/** A database, its configuration, a store, and an empty database to restore into. */
export class KillPlace {
  readonly folder: string;
  readonly storeFolder: string;
  readonly #target: string;
  readonly #database: Database;

  /** The owner calls `close`. */
  static async make(): Promise<KillPlace> {
    const folder = mkdtempSync(join(tmpdir(), 'coditect-kill-'));
    return new KillPlace(folder, await createOfflineKeyFile(join(folder, 'offline.key')));
  }

  private constructor(folder: string, recipient: string) {
    this.folder = folder;
    this.storeFolder = join(folder, 'store');
    this.#target = join(folder, 'target');
    const backup = { recipients: [recipient], minimum_backups: MINIMUM_BACKUPS, pack_bytes: 65_536, grace_hours: 0 };
    for (const [name, data] of [
      ['config.yaml', 'data'],
      ['target.yaml', 'target'],
    ] as const)
      writeFileSync(
        join(this.folder, name),
        JSON.stringify({ ...backupCommandConfig('kill', data, backup), backup_retention_days: RETENTION_DAYS }),
      );
    mkdirSync(join(this.folder, 'data'));
    this.#database = openLmdb(join(this.folder, 'data', 'db'));
  }

  /** Documents that hardly compress, so that a backup is many packs. */
  async change(seed: number): Promise<void> {
    const first = this.#database.state().log.index + 1;
    const entries = Array.from({ length: CHANGES }, (_, n): Entry => {
      const key = `doc/${String((seed * 97 + n * 13) % DOCUMENTS).padStart(6, '0')}`;
      const text = createHash('shake256', { outputLength: 900 }).update(`${seed} ${n}`).digest('base64');
      return { epoch: 1, index: first + n, op: 'put', key, value: JSON.stringify({ seed, n, text }) };
    });
    await this.#database.append(entries);
    this.#database.commit(first + entries.length - 1);
    await this.#database.seal(0);
  }

  /** @param kill null: let it end, which it must with 0 */
  async run(words: readonly string[], kill: KillMoment | null = null): Promise<'killed' | 'completed'> {
    const config = words[0] === 'restore' ? 'target.yaml' : 'config.yaml';
    const child = spawn(process.execPath, [MAIN, 'backup', ...words, '--config', join(this.folder, config)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>; // by then all that it said has been read
    const ended = new AbortController();
    const killing = kill === null ? Promise.resolve() : this.#killAt(kill, () => child.kill('SIGKILL'), ended.signal);
    const [code, signal] = await closed;
    ended.abort();
    await killing;
    if (signal === 'SIGKILL') return 'killed';
    const emptied = words[0] === 'restore' && /no empty database/.test(said);
    if (code !== 0 && !emptied) throw new Error(`${words.join(' ')} ended with ${code}: ${said}`);
    return 'completed';
  }

  async #killAt({ from, afterMs }: KillMoment, kill: () => void, ended: AbortSignal): Promise<void> {
    const before = from === 'change' ? this.#files() : '';
    while (from === 'change' && !ended.aborted && this.#files() === before)
      await sleep(LOOK_MS, undefined, { signal: ended }).catch(() => undefined);
    await sleep(afterMs, undefined, { signal: ended }).catch(() => undefined);
    if (!ended.aborted) kill();
  }

  /** Every file of store and target, temporary ones too, with its size. */
  #files(): string {
    const files: string[] = [];
    for (const folder of [this.storeFolder, this.#target].filter((one) => existsSync(one)))
      for (const name of filesIn(folder)) {
        const file = statSync(join(folder, name), { throwIfNoEntry: false });
        if (file?.isFile() === true) files.push(`${name} ${file.size} ${file.mtimeMs}`);
      }
    return files.join('\n');
  }

  async repository(): Promise<Repository> {
    const signingKey = createPrivateKey(readFileSync(join(this.folder, 'signing.pem')));
    return await openRepository({
      store: await openFolderStore(this.storeFolder, Date.now()),
      service: await openLocalKeyFile(join(this.folder, 'backup.key')),
      recipients: [],
      signingKey,
      trusted: [createPublicKey(signingKey)],
    });
  }

  async look(): Promise<Seen> {
    const store = await openFolderStore(this.storeFolder, Date.now());
    const names: string[] = [];
    for await (const { name, generation } of store.list('')) names.push(`${name} ${generation}`);
    const idsOf = (prefix: string): readonly string[] =>
      names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length, name.indexOf(' ')).replace(/\.json$/, ''));
    const file = statSync(join(this.#target, 'db', 'data.mdb'), { throwIfNoEntry: false });
    return {
      objects: [...names, file === undefined ? 'no target' : `target ${file.mtimeMs} ${file.size}`].join('\n'),
      backups: idsOf('manifests/kill/'),
      tombstones: new Set(idsOf('tomb/')),
    };
  }

  /** A database at the target is empty or a whole backup, never something between; a restore that ended left a whole one. */
  async checkTarget(repository: Repository, completed: boolean): Promise<void> {
    mkdirSync(this.#target, { recursive: true });
    const database = openLmdb(join(this.#target, 'db'));
    let records = 0;
    for await (const _row of (await database.snapshot()).rows) records++;
    await database.close();
    const wholes = (await listBackups(repository, 'kill')).map(({ manifest }) => (manifest as Manifest).totals.records);
    if (completed ? !wholes.includes(records) : records !== 0 && !wholes.includes(records))
      throw new Error(`${completed ? 'a' : 'an interrupted'} restore left ${records} records live`);
    if (records !== 0) this.emptyTarget();
  }

  emptyTarget(): void {
    rmSync(this.#target, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.#database.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return ['a folder that went away meanwhile'];
  }
}
