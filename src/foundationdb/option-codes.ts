/** Codes of options that a transaction of the client library is given (`fdb.options`, 7.3). */
export const READ_SYSTEM_KEYS = 302;
export const LOCK_AWARE = 700;
export const READ_LOCK_AWARE = 702;
export const SPECIAL_KEY_SPACE_ENABLE_WRITES = 714;

/** `FDB_STREAMING_MODE_SERIAL`: as much of a range at a time as the server will give. Measured as the fastest, with one reader and with several. */
export const SERIAL = 4;
