import { COPY_STATES_BEGIN, COPY_STATES_END, COPY_TAG, copyStateKey, LOGGED } from './fdbdr-keys.ts';
import { LOCKED_RAW } from './lock-held.ts';
import { uidOfBytes } from './lock-uid.ts';

/** What fdbdr has written of the copy that a cluster is, or was (DatabaseBackupAgent.actor.cpp, 7.3: `states`, `keyStateStatus`). */
export type CopyState = 'submitted' | 'copying' | 'complete' | 'stopped' | 'aborted' | 'half-aborted' | 'unknown';

/** The lag that somebody has seen, noted in the copy itself: what is left to judge by when the primary is gone. */
export interface LagSeen {
  readonly wallMs: number;
  readonly seconds: number;
  /** Of the copy that it was seen of: another one begins with another lag. */
  readonly uid: string;
  /** Under which lock of the copy (`CopyRecord.lock`); null: not noted. */
  readonly lock: string | null;
}

export interface CopyRecord {
  /** Which copy: what fdbdr locks this cluster under. Null: it never was one. */
  readonly uid: string | null;
  readonly state: CopyState | null;
  /** Its lock with the moment of locking, as FoundationDB stores it: another time of being locked is another lock. Null: none. */
  readonly lock: string | null;
  /** No key of a user. */
  readonly isEmpty: boolean;
  readonly lagSeen: LagSeen | null;
}

/** By the words that fdbdr writes for them. */
export const COPY_STATES: Readonly<Record<string, CopyState>> = {
  'has been submitted': 'submitted',
  'has been started': 'copying',
  'is differential': 'complete',
  'has been completed': 'stopped',
  'has been aborted': 'aborted',
  'has been partially aborted': 'half-aborted',
};
/** By the word that fdbdr has written for it. */
export const stateSaid = (said: string): CopyState => COPY_STATES[said] ?? 'unknown';
/** States in which fdbdr may write into the cluster, or be told to go on. */
const RUNNING: readonly (CopyState | null)[] = ['submitted', 'copying', 'complete', 'half-aborted'];

export const isRunning = (state: CopyState | null): boolean => RUNNING.includes(state);

const LOCK = LOCKED_RAW.toString('latin1');
/** Of layers, and not copied by fdbdr; cleared with the cluster alone. */
const LAG_KEY = '\xff\x02/coditect-dr/pair/lag';
const LAG = printable(LAG_KEY);
const FIRST_KEY = 'getrangekeys "" \\xff 1';

/**
 * Commands for fdbcli that read all of it, whoever has locked the cluster. `fdbdr status` would ask the primary as well, and hang without it. Each reads at a time of its own: the lock first, so that where it is the same one later,
 * the state was that of a cluster under this lock.
 */
export const READ_RECORDS = [
  'option on READ_SYSTEM_KEYS',
  'option on READ_LOCK_AWARE',
  `get "${printable(LOCK)}"`,
  `get "${printable(COPY_TAG)}"`,
  `getrange "${printable(COPY_STATES_BEGIN)}" "${printable(COPY_STATES_END)}" 1000`,
  `get "${LAG}"`,
  FIRST_KEY,
].join('; ');

/** Null where it is not what fdbcli prints. */
export function parseRecords(output: string): CopyRecord | null {
  const [records, keys] = output.split(/^>>> getrangekeys.*$/m);
  if (records === undefined || keys === undefined) return null;
  const found = new Map<string, string>();
  for (const [, key = '', value = ''] of records.matchAll(/^`(.*)' is `(.*)'$/gm)) found.set(unprintable(key).toString('latin1'), value);
  const tag = found.get(COPY_TAG);
  const uidBytes = tag === undefined ? null : unprintable(tag);
  if (uidBytes !== null && uidBytes.length !== 16) return null;
  const uid = uidBytes === null ? null : uidOfBytes(uidBytes);
  const stored = found.get(LOCK);
  const lock = stored === undefined ? null : unprintable(stored).toString('hex');
  const said = uidBytes === null ? undefined : found.get(copyStateKey(uidBytes));
  return {
    uid,
    state: said === undefined ? null : stateSaid(said),
    lock,
    isEmpty: !/^`/m.test(keys),
    lagSeen: lagOf(found.get(LAG_KEY)),
  };
}

/** As fdbcli takes and tells bytes. */
export function printable(latin1: string): string {
  return latin1.replace(/[^ -~]|\\/g, (byte) => (byte === '\\' ? '\\\\' : `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`));
}

/** What `printable` of FoundationDB has made of bytes. */
export function unprintable(text: string): Buffer {
  return Buffer.from(
    text.replace(/\\(?:x([0-9a-f]{2})|\\)/g, (_, hex: string | undefined) =>
      hex === undefined ? '\\' : String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    'latin1',
  );
}

function lagOf(text: string | undefined): LagSeen | null {
  const found = /^(\d+) (\d+(?:\.\d+)?) ([0-9a-f]{32})(?: ([0-9a-f]+))?$/.exec(
    text === undefined ? '' : unprintable(text).toString('latin1'),
  );
  if (found === null) return null;
  return { wallMs: Number(found[1]), seconds: Number(found[2]), uid: found[3] as string, lock: found[4] ?? null };
}

/** Notes a lag in the copy, past fdbdr's lock. */
export function noteLag({ wallMs, seconds, uid, lock }: LagSeen): string {
  const told = `${wallMs} ${seconds.toFixed(3)} ${uid}${lock === null ? '' : ` ${lock}`}`;
  return `option on ACCESS_SYSTEM_KEYS; option on LOCK_AWARE; writemode on; set "${LAG}" "${told}"`;
}

/** Takes the note away by a write that a locked cluster refuses: that it is done proves that the cluster takes writes. */
export const PROVE_WRITABLE = `option on ACCESS_SYSTEM_KEYS; writemode on; clear "${LAG}"`;

/**
 * All keys of users, past the lock that an earlier copy has left; before them what the cluster logs for a copy of it: an abort leaves the primary that was away to log for a copy that nobody reads any more, and as that primary's
 * own copy it would keep every write twice, for ever.
 */
export const ERASE = [
  'option on ACCESS_SYSTEM_KEYS',
  'option on LOCK_AWARE',
  'writemode on',
  ...LOGGED.map(([begin, end]) => `clearrange "${printable(begin)}" "${printable(end)}"`),
  'clearrange "" \\xff',
].join('; ');

export interface Lag {
  /** Null: fdbdr does not tell it. */
  readonly seconds: number | null;
  readonly paused: boolean;
}

/** What `fdbdr status` tells of a copy that is complete; what it prints of one that has stopped is no lag. Null: no answer. */
export function parseLag(said: string): Lag | null {
  if (/WARNING: Could not fetch/.test(said) || !/is a complete copy/.test(said)) return null;
  const seconds = /^The DR is (-?\d+(?:\.\d+)?) seconds behind/m.exec(said)?.[1];
  return { seconds: seconds === undefined ? null : Math.max(0, Number(seconds)), paused: /agents have been paused/.test(said) };
}
