import { spawn } from 'node:child_process';
import { createPublicKey, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Manifest } from '../backup/format/manifest.ts';
import { indexName, packName } from '../backup/format/object-name.ts';
import { listBackups } from '../backup/repository/catalog.ts';
import { openRepository, type Repository } from '../backup/repository/repository.ts';
import { verifyBackup } from '../backup/verify/verify.ts';
import type { Database, Entry } from '../database/database.ts';
import { openLmdb } from '../database/lmdb.ts';
import { openLocalKeyFile } from '../keys/local-key-file.ts';
import { openFolderStore } from '../objectstore/folder-store.ts';
import { systemClock } from '../platform/clock.ts';
import { backupCommandConfig } from './backup-command-config.ts';

const MAIN = resolve(import.meta.dirname, '../main.js');
const DAY_MS = 86_400_000;
const WORK = ['create', 'create', 'create', 'prune', 'rewrap', 'restore'] as const;
type Work = (typeof WORK)[number];

export interface KillLoopOptions {
  readonly kills: number;
  readonly random: () => number;
  readonly onLine: (line: string) => void;
}

export interface KillLoopResult {
  readonly kills: Readonly<Record<Work, number>>;
  /** Ended before the kill came. */
  readonly completed: number;
  readonly backups: number;
  readonly verifications: number;
}

/**
 * Kills backup commands (SIGKILL) at random moments, and checks after each that every committed backup still verifies at level 3 and that an interrupted restore left
 * nothing live; at the end that prune reclaims what was left and the last backup restores. Throws at the first thing that is not so.
 */
export async function runKillLoop({ kills, random, onLine }: KillLoopOptions): Promise<KillLoopResult> {
  const place = new Place();
  const count: Record<Work, number> = { create: 0, prune: 0, rewrap: 0, restore: 0 };
  let [completed, verifications, seed, first] = [0, 0, 0, true];
  const typicalMs: Partial<Record<Work, number>> = {};
  try {
    await place.run(['init']);
    for (let killed = 0; killed < kills;) {
      const work = first ? 'create' : WORK[Math.floor(random() * WORK.length)]!;
      first = false;
      if (work === 'create') await place.change(seed++);
      const limitMs = typicalMs[work];
      const startMs = systemClock.monotonicMs();
      const ended = await place.run(wordsOf(work), limitMs === undefined ? null : random() * limitMs * 1.1);
      if (limitMs === undefined) typicalMs[work] = systemClock.monotonicMs() - startMs;
      if (ended === 'killed') {
        killed++;
        count[work]++;
      } else completed++;
      const repository = await place.repository();
      if (work === 'restore' && ended === 'killed') await place.checkTarget(repository);
      if (work === 'restore' && ended === 'completed') place.emptyTarget();
      verifications += await verifyAll(repository);
      onLine(`${killed}/${kills} ${work} ${ended}`);
    }
    for (let pass = 0; pass < 3; pass++) await place.run(wordsOf('prune'));
    const repository = await place.repository();
    verifications += await verifyAll(repository);
    const backups = await checkNothingLeft(repository, place.storeFolder);
    place.emptyTarget();
    await place.run(wordsOf('restore'));
    await place.checkTarget(repository);
    return { kills: count, completed, backups, verifications };
  } finally {
    await place.close();
  }
}

function wordsOf(work: Work): readonly string[] {
  if (work === 'create') return ['create', '--no-lease'];
  if (work === 'prune') return ['prune', '--confirm', '--no-lease'];
  return work === 'restore' ? ['restore', 'latest', '--into', 'us-east1'] : ['rewrap'];
}

async function verifyAll(repository: Repository): Promise<number> {
  const entries = await listBackups(repository, 'kill');
  for (const { backupId, manifest, problem } of entries) {
    if (manifest === null || problem !== null) throw new Error(`${backupId}: ${problem}`);
    const options = { repository, manifest, level: 3, percent: 100, workers: 0, random: Math.random, onProgress: () => undefined } as const;
    const { problems } = await verifyBackup(options, new AbortController().signal);
    if (problems.length > 0) throw new Error(`${backupId}: ${problems.join('; ')}`);
  }
  return entries.length;
}

/** Everything that is there belongs to a backup. */
async function checkNothingLeft(repository: Repository, storeFolder: string): Promise<number> {
  const entries = await listBackups(repository, 'kill');
  const needed = new Set(['config.json', ...entries.map(({ name }) => name)]);
  for (const { manifest } of entries) {
    for (const { id } of manifest!.packs) needed.add(packName(id));
    for (const { id } of manifest!.index) needed.add(indexName(BigInt(manifest!.epoch), id));
  }
  const left: string[] = [];
  let wraps = 0;
  for await (const { name } of repository.store.list('')) {
    if (name.startsWith('keys/')) wraps++;
    else if (!needed.has(name)) left.push(name);
  }
  if (left.length > 0) throw new Error(`prune left ${left.join(', ')}`);
  if (wraps < 1) throw new Error('no key is left');
  await openFolderStore(storeFolder, Date.now() + 2 * DAY_MS);
  const temporary = readdirSync(join(storeFolder, '.tmp'));
  if (temporary.length > 0) throw new Error(`temporary files are left: ${temporary.join(', ')}`);
  return entries.length;
}

/** A database, its configuration, a store, and an empty database to restore into. */
class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'coditect-kill-'));
  readonly storeFolder = join(this.folder, 'store');
  readonly #target = join(this.folder, 'target');
  readonly #database: Database;

  constructor() {
    for (const [name, data] of [
      ['config.yaml', 'data'],
      ['target.yaml', 'target'],
    ] as const)
      writeFileSync(join(this.folder, name), JSON.stringify(backupCommandConfig('kill', data, { pack_bytes: 65_536, grace_hours: 0 })));
    mkdirSync(join(this.folder, 'data'));
    this.#database = openLmdb(join(this.folder, 'data', 'db'));
  }

  async change(seed: number): Promise<void> {
    const first = this.#database.state().log.index + 1;
    const entries = Array.from({ length: 400 }, (_, n): Entry => {
      const key = `doc/${String((seed * 97 + n * 13) % 5000).padStart(6, '0')}`;
      return {
        epoch: 1,
        index: first + n,
        op: 'put',
        key,
        value: JSON.stringify({ seed, n, text: `${(seed * 31 + n) % 1009} `.repeat(60) }),
      };
    });
    await this.#database.append(entries);
    this.#database.commit(first + entries.length - 1);
    await this.#database.seal(0);
  }

  /** @param killAfterMs null: let it end, which it must with 0 */
  async run(words: readonly string[], killAfterMs: number | null = null): Promise<'killed' | 'completed'> {
    const config = words[0] === 'restore' ? 'target.yaml' : 'config.yaml';
    const child = spawn(process.execPath, [MAIN, 'backup', ...words, '--config', join(this.folder, config)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const timer = killAfterMs === null ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    clearTimeout(timer);
    if (signal === 'SIGKILL') return 'killed';
    const emptied = words[0] === 'restore' && /no empty database/.test(said);
    if (code !== 0 && !emptied) throw new Error(`${words.join(' ')} ended with ${code}: ${said}`);
    return 'completed';
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

  /** A database at the target is empty or a whole backup, never something between. */
  async checkTarget(repository: Repository): Promise<void> {
    mkdirSync(this.#target, { recursive: true });
    const database = openLmdb(join(this.#target, 'db'));
    let records = 0;
    for await (const _row of (await database.snapshot()).rows) records++;
    await database.close();
    const wholes = (await listBackups(repository, 'kill')).map(({ manifest }) => (manifest as Manifest).totals.records);
    if (records !== 0 && !wholes.includes(records)) throw new Error(`an interrupted restore left ${records} records live`);
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
