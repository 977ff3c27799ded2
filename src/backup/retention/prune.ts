import { LOG_FOLDER, logPrefix } from '../format/object-name.ts';
import { listBackups, listOtherBackups, type BackupEntry } from '../repository/catalog.ts';
import { putRecord, readRecordsAndRefused, textOf } from '../repository/records.ts';
import { signalOf, type Repository } from '../repository/repository.ts';
import { isDestroyed, readShreds } from '../repository/shred.ts';
import { garbageOf } from './garbage.ts';
import { readHolds } from './holds.ts';
import { putMarks, readMarks, type Garbage, type Mark, type MarkedObject } from './marks.ts';
import { planRetention, type RetentionPlan, type RetentionRules } from './plan.ts';
import { retainedOf, tellsNothing } from './retained.ts';
import { supersededRecords } from './superseded.ts';

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
  /** Of verifications, which tell nothing any more. */
  readonly deletedRecords: number;
  /** Segments of the log that are damaged: they stay, since what only they hold would be missing without a word. */
  readonly damagedLog: readonly string[];
  /** Streams of the log that stay, since nobody can tell whether a restore needs them, each with why. */
  readonly unclearLog: readonly string[];
  /** What can be restored afterwards: from the first kept backup on that nobody found damaged. */
  readonly window: { readonly from: string | null; readonly to: string | null };
}

/** Each question is a write at the arbiter. */
const DELETIONS_PER_CHECK = 16;

/**
 * Deletes in two steps, each a run of its own: what is over its time, or needed by nobody, is marked; what was marked longer ago than the grace, and is still not needed, is
 * deleted. Interrupted anywhere it leaves every backup that it did not mark whole. The caller holds the right to write.
 */
export async function prune(options: PruneOptions, signal: AbortSignal): Promise<Pruned> {
  const { repository, rules, confirm } = options;
  const found = await look(options, signal);
  const { plan, fresh, due, superseded, garbage, deletable, toMark } = found;
  const done: Pruned = {
    plan,
    markedBackups: fresh,
    deletedBackups: due.map(({ backupId }) => backupId),
    markedObjects: toMark.length,
    deletedObjects: deletable.length,
    deletedBytes: deletable.reduce((sum, { bytes }) => sum + bytes, 0),
    deletedRecords: superseded.length,
    damagedLog: found.damagedLog,
    unclearLog: found.unclearLog,
    window: found.window,
  };
  if (plan.refused !== null) return { ...done, markedObjects: 0, deletedObjects: 0, deletedBytes: 0, deletedRecords: 0 };
  if (!confirm) return done;
  const remove = remover(options, signal);
  await options.check();
  const at = new Date(rules.nowMs);
  for (const tomb of found.lifted) await remove(tomb);
  for (const id of fresh) await putRecord(repository, `tomb/${id}.json`, { backupId: id, at: at.toISOString() }, signal);
  for (const entry of due) await deleteBackup(repository, { entry, tomb: found.tombOf.get(entry.backupId)! }, remove, signal);
  for (const record of superseded) await remove(record);
  await putMarks(repository, toMark, at, signal);
  for (const object of deletable) await remove(object);
  await dropMarks(remove, { cluster: options.cluster, marks: found.marks, garbage, deleted: deletable });
  return done;
}

/** What there is, and what of it would be done. */
async function look({ repository, cluster, rules, graceMs }: PruneOptions, signal: AbortSignal) {
  const entries = await listBackups(repository, cluster, signal);
  const others = await listOtherBackups(repository, cluster, signal);
  const tombs = await readRecordsAndRefused(repository, 'tomb/', signal);
  const tombOf = new Map(tombs.records.map((tomb) => [textOf(tomb.document, 'backupId'), tomb]));
  const { records } = await readRecordsAndRefused(repository, 'verify/', signal);
  const { refused: brokenMarks } = await readRecordsAndRefused(repository, 'mark/', signal);
  const held = new Set((await readHolds(repository, signal)).keys());
  const destroyedKeys = await readShreds(repository, signal);
  const retained = retainedOf(entries, { records, tombstones: new Set(tombOf.keys()), held, destroyedKeys, nowMs: rules.nowMs });
  const plan = planRetention(retained, rules);
  const expire = new Set(plan.expire);
  const isDue = (backupId: string): boolean => Date.parse(textOf(tombOf.get(backupId)?.document ?? {}, 'at')) + graceMs <= rules.nowMs;
  const due = entries.filter(({ backupId }) => expire.has(backupId) && isDue(backupId));
  const kept = entries.filter((entry) => !due.includes(entry));
  const whole = new Set(retained.filter(({ problem, damaged }) => problem === null && !damaged).map(({ backupId }) => backupId));
  const destroyed = new Set(retained.filter((backup) => backup.destroyed).map(({ backupId }) => backupId));
  const needing = kept.filter(({ backupId }) => !destroyed.has(backupId));
  const { garbage, damagedLog, unclearLog } = await garbageOf(
    repository,
    { cluster, kept: needing, others: others.filter((e) => !isDestroyed(e, destroyedKeys)) },
    signal,
  );
  const marks = await readMarks(repository, signal);
  const markedAt = new Map(marks.flatMap(({ objects, atMs }) => objects.map((object) => [key(object), atMs] as const)));
  const own = new Set(entries.map(({ backupId }) => backupId));
  return {
    plan,
    tombOf,
    marks,
    garbage,
    damagedLog,
    unclearLog,
    due,
    window: windowOf(kept.filter(({ backupId }) => whole.has(backupId))),
    fresh: plan.expire.filter((id) => !tombOf.has(id)),
    // A backup that is to stay after all (a hold, a minimum that grew) loses its tombstone; one that does not open says nothing.
    lifted: [...[...tombOf].filter(([id]) => own.has(id) && !expire.has(id)).map(([, tomb]) => tomb), ...tombs.refused],
    superseded: unique([
      ...supersededRecords(records.filter((record) => !tellsNothing(record, rules.nowMs))),
      ...brokenMarks,
      ...(await recordsOfNone(repository, signal)),
    ]),
    deletable: garbage.filter((object) => (markedAt.get(key(object)) ?? Number.POSITIVE_INFINITY) + graceMs <= rules.nowMs),
    toMark: garbage.filter((object) => !markedAt.has(key(object))),
  };
}

/** What is said of backups that are gone: a prune that was cut off leaves it. */
async function recordsOfNone({ store }: Repository, signal: AbortSignal): Promise<readonly MarkedObject[]> {
  const said: MarkedObject[] = [];
  for (const prefix of ['verify/', 'hold/', 'tomb/'])
    for await (const { name, generation } of store.list(prefix, signalOf(signal))) said.push({ name, generation });
  // Only now: nothing is said of a backup before it is there, and one may have come since the others were listed.
  const ids = new Set<string>();
  for await (const { name } of store.list('manifests/', signalOf(signal))) ids.add(name.slice(name.lastIndexOf('/') + 1));
  return said.filter(({ name }) => !ids.has(name.split('/')[1]!.replace(/\.json$/, '')));
}

/** Its manifest first: then it is no backup any more. A hold that came meanwhile is heeded. */
async function deleteBackup(
  repository: Repository,
  { entry, tomb }: { readonly entry: BackupEntry; readonly tomb: MarkedObject },
  remove: Remove,
  signal: AbortSignal,
): Promise<void> {
  const { backupId } = entry;
  if ((await readHolds(repository, signal, backupId)).size > 0) return;
  await remove(entry);
  for (const prefix of [`verify/${backupId}/`, `hold/${backupId}/`])
    for await (const record of repository.store.list(prefix, signalOf(signal))) await remove(record);
  await remove(tomb);
}

function windowOf(kept: readonly BackupEntry[]): Pruned['window'] {
  return { from: kept[0]?.manifest?.created ?? null, to: kept.at(-1)?.manifest?.created ?? null };
}

/** Marks of which nothing is left: deleted, or needed again. Of the log of another cluster only its own prune knows. */
async function dropMarks(remove: Remove, { cluster, marks, garbage, deleted }: Marked): Promise<void> {
  const gone = new Set(deleted.map(key));
  const waiting = new Set(garbage.map(key).filter((object) => !gone.has(object)));
  const isOthers = ({ name }: MarkedObject): boolean => name.startsWith(LOG_FOLDER) && !name.startsWith(logPrefix(cluster));
  for (const mark of marks) if (!mark.objects.some((object) => waiting.has(key(object)) || isOthers(object))) await remove(mark);
}

interface Marked {
  readonly cluster: string;
  readonly marks: readonly Mark[];
  readonly garbage: readonly Garbage[];
  readonly deleted: readonly Garbage[];
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

function unique(objects: readonly MarkedObject[]): readonly MarkedObject[] {
  return [...new Map(objects.map((object) => [key(object), object])).values()];
}

function key({ name, generation }: MarkedObject): string {
  return `${name}\n${generation}`;
}
