import { EngineError } from '../../platform/errors.ts';
import { viewOf } from './blake3.ts';

/**
 * JSON with one byte sequence per value: members sorted, no white space, integers within ±(2^53 - 1), member names of ASCII. Larger integers are
 * decimal strings. What decodes, encodes to the same bytes again; so a signature over the bytes is one over the value.
 */
export type CanonicalValue = null | boolean | number | string | readonly CanonicalValue[] | { readonly [name: string]: CanonicalValue };
export type CanonicalObject = { readonly [name: string]: CanonicalValue };

const MEMBER_NAME = /^[A-Za-z][A-Za-z0-9_./-]{0,62}$/;
const MAX_DEPTH = 32;

/** @throws EngineError bad-request on what canonical JSON cannot hold */
export function encodeCanonical(value: CanonicalValue): Buffer {
  return Buffer.from(write(value, 0));
}

/** @throws EngineError backup-damaged when the bytes are not canonical JSON of an object, or more than maxBytes */
export function decodeCanonical(bytes: Uint8Array, maxBytes: number, what: string): CanonicalObject {
  const refuse = (problem: string, cause?: unknown): EngineError => new EngineError('backup-damaged', `${what} refused: ${problem}`, cause);
  if (bytes.length > maxBytes) throw refuse(`${bytes.length} bytes, at most ${maxBytes} are read`);
  let value: CanonicalValue;
  let again: Buffer;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as CanonicalValue;
    again = encodeCanonical(value);
  } catch (error) {
    throw refuse('it is not canonical JSON', error);
  }
  if (!again.equals(viewOf(bytes))) throw refuse('it is JSON, but not in canonical form');
  if (!isObject(value)) throw refuse('it is no object');
  return value;
}

function isObject(value: CanonicalValue): value is CanonicalObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function write(value: CanonicalValue, depth: number): string {
  if (depth > MAX_DEPTH) throw new EngineError('bad-request', `canonical JSON nests at most ${MAX_DEPTH} deep`);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return writeNumber(value);
  if (typeof value === 'string') return writeString(value);
  if (!isObject(value)) return `[${(value as readonly CanonicalValue[]).map((item) => write(item, depth + 1)).join(',')}]`;
  const members = Object.keys(value).toSorted();
  return `{${members.map((name) => `${writeName(name)}:${write(value[name]!, depth + 1)}`).join(',')}}`;
}

function writeNumber(value: number): string {
  if (!Number.isSafeInteger(value)) throw new EngineError('bad-request', `canonical JSON has no number ${value}; write it as a string`);
  return JSON.stringify(value);
}

function writeString(value: string): string {
  if (typeof value !== 'string' || !value.isWellFormed())
    throw new EngineError('bad-request', 'canonical JSON holds text of whole characters only');
  return JSON.stringify(value);
}

function writeName(name: string): string {
  if (!MEMBER_NAME.test(name)) throw new EngineError('bad-request', `${JSON.stringify(name)} is no member name of canonical JSON`);
  return JSON.stringify(name);
}
