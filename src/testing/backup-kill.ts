import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { indexName, packName } from '../backup/format/object-name.ts';
import { listBackups } from '../backup/repository/catalog.ts';
import type { Repository } from '../backup/repository/repository.ts';
import { verifyBackup } from '../backup/verify/verify.ts';
import { openFolderStore } from '../objectstore/folder-store.ts';
import { systemClock } from '../platform/clock.ts';
import { KillPlace, MINIMUM_BACKUPS, type KillMoment } from './backup-kill-place.ts';

const DAY_MS = 86_400_000;
const WORK = ['create', 'create', 'create', 'prune', 'prune', 'rewrap', 'restore', 'restore', 'verify', 'epoch'] as const;
type Work = (typeof WORK)[number];
type Count = Record<Work, number>;

const WORDS: Readonly<Record<Work, readonly string[]>> = {
  create: ['create', '--no-lease'],
  prune: ['prune', '--confirm', '--no-lease'],
  rewrap: ['rewrap'],
  epoch: ['rewrap', '--new-epoch'],
  restore: ['restore', 'latest', '--into', 'us-east1'],
  verify: ['verify', 'latest'],
};
const MAX_EPOCHS = 4;
const MAX_PRUNES = 100;

export interface KillLoopOptions {
  readonly kills: number;
  readonly random: () => number;
  readonly onLine: (line: string) => void;
}

export interface KillLoopResult {
  readonly kills: Readonly<Count>;
  /** Of these, where something in the store or the target was other than before. */
  readonly killsInWork: Readonly<Count>;
  /** Ended before the kill came. */
  readonly completed: number;
  readonly backups: number;
  readonly deletedBackups: number;
  readonly verifications: number;
}

const none = (): Count => ({ create: 0, prune: 0, rewrap: 0, epoch: 0, restore: 0, verify: 0 });

/**
 * Kills backup commands (SIGKILL) at random moments, and checks after each that every committed backup still verifies at level 3, that none is gone which prune had not marked a run before, and that an
 * interrupted restore left nothing live; at the end that prune reclaims what was left and the last backup restores. Throws at the first thing that is not so.
 */
export async function runKillLoop({ kills, random, onLine }: KillLoopOptions): Promise<KillLoopResult> {
  const place = await KillPlace.make();
  const [killsOf, killsInWork] = [none(), none()];
  let [killed, completed, verifications, deletedBackups] = [0, 0, 0, 0];
  const typicalMs: Partial<Record<Work, number>> = {};
  try {
    await place.run(['init']);
    // What every command needs until it begins: most kills come after that.
    const startMs = await timed(() => place.run(['list']));
    for (let turn = 0; killed < kills; turn++) {
      const work = turn === 0 ? 'create' : WORK[Math.floor(random() * WORK.length)]!;
      if (work === 'epoch' && (await place.repository()).epochs.length >= MAX_EPOCHS) continue;
      if (work === 'create') await place.change(turn);
      // Nothing is pruned beside a newest backup that nobody has verified.
      if (work === 'prune') await place.run(WORDS.verify);
      const before = await place.look();
      const typical = typicalMs[work];
      const kill = typical === undefined ? null : killMoment(startMs * 0.8, typical, random);
      let ended: 'killed' | 'completed' = 'completed';
      const tookMs = await timed(async () => (ended = await place.run(WORDS[work], kill)));
      if (ended === 'completed') typicalMs[work] = tookMs;
      const seen = await place.look();
      const gone = before.backups.filter((id) => !seen.backups.includes(id));
      for (const id of gone) if (work !== 'prune' || !before.tombstones.has(id)) throw new Error(`${id} is gone after ${work}`);
      if (gone.length > 0 && seen.backups.length < MINIMUM_BACKUPS) throw new Error(`only ${seen.backups.length} backups are left`);
      deletedBackups += gone.length;
      if (ended === 'completed') completed++;
      else {
        killed++;
        killsOf[work]++;
        if (seen.objects !== before.objects) killsInWork[work]++;
      }
      const repository = await place.repository();
      if (work === 'restore') await place.checkTarget(repository, ended === 'completed');
      verifications += await verifyAll(repository);
      onLine(`${killed}/${kills} ${work} ${ended}${seen.backups.length === 0 ? '' : `, ${seen.backups.length} backups`}`);
    }
    await place.run(WORDS.rewrap);
    await place.run(WORDS.verify);
    await pruneAll(place);
    const repository = await place.repository();
    verifications += await verifyAll(repository);
    const backups = await checkNothingLeft(repository, place.storeFolder);
    place.emptyTarget();
    await place.run(WORDS.restore);
    await place.checkTarget(repository, true);
    return { kills: killsOf, killsInWork, completed, backups, deletedBackups, verifications };
  } finally {
    await place.close();
  }
}

/** Until a run changes nothing: backups get over their time while it goes on, and what only such a one needed goes in the third run from there. */
async function pruneAll(place: KillPlace): Promise<void> {
  for (let run = 0; run < MAX_PRUNES; run++) {
    const before = await place.look();
    await place.run(WORDS.prune);
    if ((await place.look()).objects === before.objects) return;
  }
  throw new Error(`prune still changes something in its run ${MAX_PRUNES}`);
}

/**
 * At any moment of the command's work, and in one of four cases after it. Where a machine is busy, how long a command needs until it begins says little: so half of them are killed at a moment that counts from the first change
 * that it makes.
 */
function killMoment(beginMs: number, endMs: number, random: () => number): KillMoment {
  const workMs = Math.max(50, (endMs - beginMs) * 1.33);
  return random() < 0.5 ? { from: 'start', afterMs: beginMs + random() * workMs } : { from: 'change', afterMs: random() * workMs };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = systemClock.monotonicMs();
  await work();
  return systemClock.monotonicMs() - startMs;
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
  const ids = new Set(entries.map(({ backupId }) => backupId));
  const left: string[] = [];
  const wraps = new Map<string, number>();
  const records = new Map<string, number>();
  const count = (map: Map<string, number>, what: string): void => void map.set(what, (map.get(what) ?? 0) + 1);
  for await (const { name } of repository.store.list('')) {
    const [kind, of] = name.split('/') as [string, string];
    if (kind === 'keys') count(wraps, of);
    else if (kind === 'verify' && ids.has(of)) count(records, of);
    else if (!needed.has(name)) left.push(name);
  }
  if (left.length > 0) throw new Error(`prune left ${left.join(', ')}`);
  for (const [kid, each] of wraps)
    if (each !== 2) throw new Error(`the epoch key ${kid} has ${each} wraps, not one of the service and one of the recipient`);
  for (const [id, each] of records) if (each > 1) throw new Error(`${each} records of verifications of ${id} are left`);
  await openFolderStore(storeFolder, Date.now() + 2 * DAY_MS);
  const temporary = readdirSync(join(storeFolder, '.tmp'));
  if (temporary.length > 0) throw new Error(`temporary files are left: ${temporary.join(', ')}`);
  return entries.length;
}
