import type { PutRow, RemoteTarget } from '../../database/remote-target.ts';
import { EngineError } from '../../platform/errors.ts';
import type { LogEnd } from '../../replication/epochs.ts';
import type { ClearedRange, LogChange, LogToApply } from '../log/log-to-apply.ts';
import { SetHash } from './set-hash.ts';

/** Of one transaction; each key of it is read, too. */
const PUT_ROWS = 500;
/** Well below FoundationDB's 10 MB; several may be under way. */
export const PUT_BYTES = 512 * 1024;
export const SLICE_BYTES = 1024 * 1024;

interface Applying {
  readonly target: RemoteTarget;
  readonly log: LogToApply;
  /** What is there: each change replaces in it what was there before. */
  readonly set: SetHash;
  readonly onApplied: (version: number) => void;
}

/**
 * Applies the log to a database that is being filled and nobody else uses. What is written may be written again, and what was there before is read in a transaction before: so one whose outcome is not known is counted once.
 * @throws EngineError backup-damaged where the log ends before it should
 */
export async function applyLog({ target, log, set, onApplied }: Applying, from: LogEnd, signal: AbortSignal): Promise<LogEnd> {
  let applied = from;
  for await (const { end, changes } of log.batches(from.index, signal)) {
    for (const step of stepsOf(changes)) {
      signal.throwIfAborted();
      await ('from' in step ? clear(target, set, step, signal) : put(target, set, step));
    }
    applied = end;
    onApplied(end.index);
  }
  if (applied.index !== log.through)
    throw new EngineError('backup-damaged', `the log ends at version ${applied.index}, before ${log.through}`);
  return applied;
}

/** Of several changes of a key the last counts, as far as no range is cleared between them. */
function* stepsOf(changes: readonly LogChange[]): Generator<readonly PutRow[] | ClearedRange> {
  let last = new Map<string, PutRow>();
  let bytes = 0;
  for (const change of changes) {
    if ('from' in change) {
      yield [...last.values()];
      yield change;
    } else {
      last.set(Buffer.from(change.key).toString('latin1'), change);
      bytes += change.key.length + (change.value?.length ?? 0);
      if (last.size < PUT_ROWS && bytes < PUT_BYTES) continue;
      yield [...last.values()];
    }
    last = new Map();
    bytes = 0;
  }
  yield [...last.values()];
}

async function put(target: RemoteTarget, set: SetHash, rows: readonly PutRow[]): Promise<void> {
  if (rows.length === 0) return;
  const before = await target.get(rows.map(({ key }) => key));
  for (const [n, { key, value }] of rows.entries()) {
    const replaced = before[n];
    if (replaced !== undefined) set.remove(key, replaced);
    if (value !== null) set.add(key, value);
  }
  await target.put(rows);
}

async function clear(target: RemoteTarget, set: SetHash, range: ClearedRange, signal: AbortSignal): Promise<void> {
  await visitAll(target, range, (key, value) => set.remove(key, value), signal);
  await target.clear(range.from, range.to);
}

/** All that is there, both ways: what the sum holds and nothing else. @throws EngineError backup-differs */
export async function compareWithSum(target: RemoteTarget, idKey: Uint8Array, expected: SetHash, signal: AbortSignal): Promise<void> {
  const found = new SetHash(idKey);
  await visitAll(target, { from: new Uint8Array(), to: null }, (key, value) => found.add(key, value), signal);
  if (found.text() !== expected.text())
    throw new EngineError(
      'backup-differs',
      `what is there after the log was applied (${found.count} records) is not what it should be (${expected.count}); it was not made live`,
    );
}

async function visitAll(
  target: RemoteTarget,
  { from, to }: ClearedRange,
  visit: (key: Uint8Array, value: Uint8Array) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let next: Uint8Array | null = from; next !== null;) {
    const slice = await target.slice(next, to, SLICE_BYTES, signal);
    for (const [key, value] of slice.rows) visit(key, value);
    next = slice.next;
  }
}
