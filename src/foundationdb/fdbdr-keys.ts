/** Where fdbdr writes of the copy that a cluster is, or was, as Latin-1 (DatabaseBackupAgent.actor.cpp, 7.3): strings of tuples, each after a type byte and with a zero byte after it. */
const AGENT = '\xff\x02/db-backup-agent/';

/** Which copy it is: its UID, in FoundationDB's byte order. */
export const COPY_TAG = `${AGENT}\x01tagname\x00\x01default\x00`;
/** That, as a transaction reads it. */
export const COPY_TAG_RAW = Buffer.from(COPY_TAG, 'latin1');
/** What the records of all copies that it ever was begin with, and where they end. */
export const COPY_STATES_BEGIN = `${AGENT}\x01state\x00`;
export const COPY_STATES_END = `${AGENT}\x01state\x01`;

const STATUS = '\x00\x01state_status\x00';

/** Where the state of this copy is. */
export function copyStateKey(uid: Buffer): string {
  // A zero byte in a tuple's string is written as 00 ff.
  return `${COPY_STATES_BEGIN}\x01${uid.toString('latin1').replaceAll('\x00', '\x00\xff')}${STATUS}`;
}

/**
 * What a cluster keeps of its own commits for copies and backups of it (SystemData.cpp, 7.3), each as where it begins and ends: which ranges are logged, which comes first so that no more is; the log; who reads it and how far he has come.
 */
export const LOGGED: readonly (readonly [string, string])[] = ['\xff/logRanges', '\xff\x02/blog', '\xff\x02/sharedLogRangesConfig'].map(
  (prefix) => [`${prefix}/`, `${prefix}0`],
);
