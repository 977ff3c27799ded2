import { EngineError } from '../../platform/errors.ts';
import { indexName, logName, packName } from '../format/object-name.ts';
import { getSegment, listStreams } from '../log/segments.ts';

import { listBackups, type BackupEntry } from '../repository/catalog.ts';
import { putRecord, readRecords, textOf } from '../repository/records.ts';
import { signalOf, type Repository } from '../repository/repository.ts';
import { putMarks, readMarks, type MarkedObject } from './marks.ts';
import { planRetention, type RetainedBackup, type RetentionPlan, type RetentionRules } from './plan.ts';

export interface PruneOptions {
  readonly repository: Repository;
  readonly cluster: string;
  readonly rules: RetentionRules;
  readonly graceMs: number;
  /** false: only tell what would be done. */
  readonly confirm: boolean;
  /** Asked before anything is changed, and again every few deletions. */
  readonly check: () => Promise<void>;
}

export interface Pruned {
  readonly plan: RetentionPlan;
  /** Marked now; they can be restored until the grace is over. */
  readonly markedBackups: readonly string[];
  readonly deletedBackups: readonly string[];
  readonly markedObjects: number;
  readonly deletedObjects: number;
  readonly deletedBytes: number;
  /** What can be restored afterwards: from the first kept backup on. */
  readonly window: { readonly from: string | null; readonly to: string | null };
}

/** Each question is a write at the arbiter. */
const DELETIONS_PER_CHECK = 16;

/**
 * Deletes in two steps, each a run of its own: what is over its time, or needed by nobody, is marked; what was marked longer ago than the grace, and is still not needed, is
 * deleted. Interrupted anywhere it leaves every backup that it did not mark whole. The caller holds the right to write.
 */
export async function prune(options: PruneOptions, signal: AbortSignal): Promise<Pruned> {
  const { repository, cluster, rules, graceMs, confirm } = options;
  const entries = await listBackups(repository, cluster, signal);
  const tombs = await readRecords(repository, 'tomb/', signal);
  const tombOf = new Map(tombs.map((tomb) => [textOf(tomb.document, 'backupId'), tomb]));
  const retained = await retainedOf(repository, entries, new Set(tombOf.keys()), signal);
  const plan = planRetention(retained, rules);
  const isDue = (backupId: string): boolean => Date.parse(textOf(tombOf.get(backupId)?.document ?? {}, 'at')) + graceMs <= rules.nowMs;
  const due = plan.expire.filter((id) => tombOf.has(id) && isDue(id));
  const fresh = plan.expire.filter((id) => !tombOf.has(id));
  const kept = entries.filter(({ backupId }) => !due.includes(backupId));
  const garbage = await garbageOf(repository, cluster, { entries, kept }, signal);
  const marks = await readMarks(repository, signal);
  const markedAt = new Map(marks.flatMap(({ objects, atMs }) => objects.map((object) => [key(object), atMs] as const)));
  const deletable = garbage.filter((object) => (markedAt.get(key(object)) ?? Number.POSITIVE_INFINITY) + graceMs <= rules.nowMs);
  const toMark = garbage.filter((object) => !markedAt.has(key(object)));
  const done: Pruned = {
    plan,
    markedBackups: fresh,
    deletedBackups: due,
    markedObjects: toMark.length,
    deletedObjects: deletable.length,
    deletedBytes: deletable.reduce((sum, { bytes }) => sum + bytes, 0),
    window: windowOf(kept.filter(({ problem }) => problem === null)),
  };
  if (plan.refused !== null) return { ...done, markedObjects: 0, deletedObjects: 0, deletedBytes: 0 };
  if (!confirm) return done;
  const remove = remover(options, signal);
  await options.check();
  for (const id of fresh) await putRecord(repository, `tomb/${id}.json`, { backupId: id, at: new Date(rules.nowMs).toISOString() }, signal);
  // A backup that is to stay after all (a hold, a minimum that grew) loses its tombstone.
  for (const [id, tomb] of tombOf) if (!plan.expire.includes(id)) await remove(tomb);
  for (const id of due) {
    const entry = entries.find(({ backupId }) => backupId === id);
    if (entry !== undefined) await remove(entry);
    for await (const record of repository.store.list(`verify/${id}/`, signalOf(signal))) await remove(record);
    await remove(tombOf.get(id)!);
  }
  await putMarks(repository, toMark, new Date(rules.nowMs), signal);
  for (const object of deletable) await remove(object);
  await dropMarks(remove, { marks, garbage, deleted: deletable });
  return done;
}

interface Garbage extends MarkedObject {
  readonly bytes: number;
}

/** Packs, indexes and log segments that no backup needs which stays. Nothing where a manifest cannot be read: what it needs is not known then. */
async function garbageOf(
  repository: Repository,
  cluster: string,
  { entries, kept }: { readonly entries: readonly BackupEntry[]; readonly kept: readonly BackupEntry[] },
  signal: AbortSignal,
): Promise<readonly Garbage[]> {
  const unreadable = entries.find(({ manifest }) => manifest === null);
  if (unreadable !== undefined) return [];
  const needed = new Set<string>();
  // Packs are shared by all clusters of a repository.
  for (const { manifest } of [...kept, ...(await othersOf(repository, cluster, signal))]) {
    if (manifest === null) return [];
    for (const { id } of manifest.packs) needed.add(packName(id));
    for (const { id } of manifest.index) needed.add(indexName(BigInt(manifest.epoch), id));
  }
  const garbage: Garbage[] = [];
  for (const prefix of ['packs/', 'index/'])
    for await (const { name, generation, bytes } of repository.store.list(prefix, signalOf(signal)))
      if (!needed.has(name)) garbage.push({ name, generation, bytes });
  return [...garbage, ...(await oldSegments(repository, cluster, kept, signal))];
}

async function othersOf(repository: Repository, cluster: string, signal: AbortSignal): Promise<readonly BackupEntry[]> {
  const clusters = new Set<string>();
  for await (const { name } of repository.store.list('manifests/', signalOf(signal))) clusters.add(name.split('/')[1]!);
  clusters.delete(cluster);
  const others: BackupEntry[] = [];
  for (const other of clusters) others.push(...(await listBackups(repository, other, signal)));
  return others;
}

/** Segments whose versions all kept backups have already. A restore begins at a backup, so it never reads them. */
async function oldSegments(
  repository: Repository,
  cluster: string,
  kept: readonly BackupEntry[],
  signal: AbortSignal,
): Promise<readonly Garbage[]> {
  const versions = kept.flatMap(({ manifest, problem }) => (manifest === null || problem !== null ? [] : [Number(manifest.readVersion)]));
  if (versions.length === 0) return [];
  const oldest = Math.min(...versions);
  const streams = await listStreams(repository, cluster, signal);
  const garbage: Garbage[] = [];
  for (const [n, { stream, begins }] of streams.entries()) {
    for (const [k, begin] of begins.entries()) {
      const next = begins[k + 1];
      // The last one of the newest stream is what that goes on from.
      if (next === undefined && n === streams.length - 1) continue;
      const end = next === undefined ? await endOf(repository, { cluster, stream, begin }, signal) : next - 1;
      if (end > oldest) continue;
      const object = await repository.store.stat(logName(cluster, stream, begin), signal);
      if (object !== null) garbage.push(object);
    }
  }
  return garbage;
}

async function endOf(
  repository: Repository,
  place: { readonly cluster: string; readonly stream: string; readonly begin: number },
  signal: AbortSignal,
): Promise<number> {
  try {
    return (await getSegment(repository, place, signal)).end;
  } catch (error) {
    if (error instanceof EngineError && error.code === 'backup-damaged') return Number.POSITIVE_INFINITY;
    throw error;
  }
}

async function retainedOf(
  repository: Repository,
  entries: readonly BackupEntry[],
  marked: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly RetainedBackup[]> {
  const records = await readRecords(repository, 'verify/', signal);
  return entries.map(({ backupId, manifest, problem }) => {
    const checks = records.filter(({ document }) => document['backupId'] === backupId);
    const whole = checks.filter(({ document }) => Number(document['level']) >= 3);
    const lastBad = checks.findLast(({ document }) => document['ok'] === false);
    const lastGood = whole.findLast(({ document }) => document['ok'] === true);
    return {
      backupId,
      createdMs: manifest === null ? Number.POSITIVE_INFINITY : Date.parse(manifest.created),
      retainUntilMs: manifest?.retainUntil == null ? null : Date.parse(manifest.retainUntil),
      legalHold: manifest?.legalHold ?? false,
      verified: lastGood !== undefined && (lastBad === undefined || textOf(lastBad.document, 'at') < textOf(lastGood.document, 'at')),
      problem,
      marked: marked.has(backupId),
    };
  });
}

function windowOf(kept: readonly BackupEntry[]): Pruned['window'] {
  return { from: kept[0]?.manifest?.created ?? null, to: kept.at(-1)?.manifest?.created ?? null };
}

/** Marks of which nothing is left: deleted, or needed again. */
async function dropMarks(
  remove: Remove,
  {
    marks,
    garbage,
    deleted,
  }: { readonly marks: Awaited<ReturnType<typeof readMarks>>; readonly garbage: readonly Garbage[]; readonly deleted: readonly Garbage[] },
): Promise<void> {
  const gone = new Set(deleted.map(key));
  const waiting = new Set(garbage.map(key).filter((object) => !gone.has(object)));
  for (const mark of marks) if (!mark.objects.some((object) => waiting.has(key(object)))) await remove(mark);
}

type Remove = (object: MarkedObject) => Promise<void>;

/** Deletes one generation, and asks at the first and then every so many whether this program still may; in between the signal tells. */
function remover({ repository, check }: PruneOptions, signal: AbortSignal): Remove {
  let removed = 0;
  return async ({ name, generation }) => {
    signal.throwIfAborted();
    if (removed++ % DELETIONS_PER_CHECK === 0) await check();
    await repository.store.delete(name, { generation, signal });
  };
}

function key({ name, generation }: MarkedObject): string {
  return `${name}\n${generation}`;
}
