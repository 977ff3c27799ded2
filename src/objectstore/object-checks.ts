import { crc32c as crc32cOf } from '@node-rs/crc32';
import { EngineError } from '../platform/errors.ts';
import type { GetOptions, PutOptions } from './object-store.ts';

const NAME_PART = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/;
const MAX_NAME_BYTES = 512;

export function isNamePart(part: string): boolean {
  return NAME_PART.test(part);
}

/** Names are parts joined by `/`, each of which is a plain file name everywhere. */
export function isName(name: string): boolean {
  return name.length <= MAX_NAME_BYTES && name.split('/').every(isNamePart);
}

/** @throws EngineError bad-request */
export function checkName(name: string): void {
  if (!isName(name))
    throw new EngineError('bad-request', `${JSON.stringify(name)} is no object name: parts of A-Z a-z 0-9 _ - . joined by /`);
}

/** A prefix is the beginning of a name, so it may end within a part. @throws EngineError bad-request */
export function checkPrefix(prefix: string): void {
  if (prefix !== '' && !prefix.endsWith('/')) checkName(prefix);
  else if (prefix !== '') checkName(prefix.slice(0, -1));
}

/** @throws EngineError bad-request on a range or limit that is none */
export function checkGet({ range, maxBytes }: GetOptions): void {
  const number = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  if (!number(maxBytes)) throw new EngineError('bad-request', `no limit of ${maxBytes} bytes`);
  if (range === undefined) return;
  if (!number(range.begin) || !number(range.end) || range.begin >= range.end) {
    throw new EngineError('bad-request', `no range ${range.begin}..${range.end}`);
  }
  if (range.end - range.begin > maxBytes)
    throw new EngineError('bad-request', `range ${range.begin}..${range.end} is above the limit of ${maxBytes} bytes`);
}

/** CRC32C of the body, checked against the caller's: what was damaged in memory is not stored. */
export function checkedCrc32c(name: string, body: Uint8Array, options: PutOptions | undefined): number {
  const actual = crc32cOf(body);
  if (options?.crc32c !== undefined && options.crc32c !== actual) {
    throw new EngineError('backup-damaged', `${name} not stored: its bytes changed in memory (CRC32C ${actual}, it was ${options.crc32c})`);
  }
  return actual;
}

export function tooLarge(name: string, bytes: number, maxBytes: number): EngineError {
  return new EngineError('object-store-failed', `${name} has ${bytes} bytes, at most ${maxBytes} are read`);
}

/** The order of lists: by bytes, as buckets have it. Names are ASCII, so by code units is the same. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
