import { createHmac, timingSafeEqual } from 'node:crypto';
import { encodeName, lastRecordOffset, skipName, uint16 } from './wire.ts';

/** Transaction signatures, RFC 8945. */
export interface TsigKey {
  readonly name: string;
  readonly algorithm: 'hmac-sha256' | 'hmac-sha512';
  readonly secret: Buffer;
}

const TSIG_TYPE = 250;
const CLASS_ANY = 255;
const FUDGE_SECONDS = 300;

export interface SignedMessage {
  readonly bytes: Buffer;
  readonly mac: Buffer;
}

/** The message with its TSIG record, and the MAC that the answer's signature covers too. */
export function signMessage(message: Buffer, key: TsigKey, atSeconds: number): SignedMessage {
  const timers = Buffer.concat([uint48(atSeconds), uint16(FUDGE_SECONDS)]);
  const mac = createHmac(hashOf(key), key.secret)
    .update(message)
    .update(variables(key, timers, Buffer.alloc(4)))
    .digest();
  const originalId = message.subarray(0, 2);
  const data = Buffer.concat([encodeName(key.algorithm), timers, uint16(mac.length), mac, originalId, Buffer.alloc(4)]);
  const record = Buffer.concat([encodeName(key.name), uint16(TSIG_TYPE), uint16(CLASS_ANY), Buffer.alloc(4), uint16(data.length), data]);
  const bytes = Buffer.concat([message, record]);
  bytes.writeUInt16BE(bytes.readUInt16BE(10) + 1, 10);
  return { bytes, mac };
}

export type TsigVerdict = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** Whether `answer` was signed with the key in answer to the request of this MAC, now. */
export function verifyAnswer(answer: Buffer, requestMac: Buffer, key: TsigKey, atSeconds: number): TsigVerdict {
  try {
    return verify(answer, requestMac, key, atSeconds);
  } catch (error) {
    if (error instanceof RangeError) return { ok: false, why: 'the signature is cut short' };
    throw error;
  }
}

function verify(answer: Buffer, requestMac: Buffer, key: TsigKey, atSeconds: number): TsigVerdict {
  const start = lastRecordOffset(answer);
  if (start === null) return { ok: false, why: 'the answer is not signed' };
  const fixed = skipName(answer, start);
  if (answer.readUInt16BE(fixed) !== TSIG_TYPE) return { ok: false, why: 'the answer is not signed' };
  if (!encodeName(key.name).equals(lower(answer.subarray(start, fixed)))) return { ok: false, why: 'signed with another key' };
  const algorithmAt = fixed + 10;
  const timersAt = skipName(answer, algorithmAt);
  if (!encodeName(key.algorithm).equals(lower(answer.subarray(algorithmAt, timersAt))))
    return { ok: false, why: 'signed with another algorithm' };
  const timers = answer.subarray(timersAt, timersAt + 8);
  const macBytes = answer.readUInt16BE(timersAt + 8);
  const mac = answer.subarray(timersAt + 10, timersAt + 10 + macBytes);
  const idAt = timersAt + 10 + macBytes;
  const error = answer.readUInt16BE(idAt + 2);
  const unsigned = Buffer.from(answer.subarray(0, start));
  unsigned.writeUInt16BE(unsigned.readUInt16BE(10) - 1, 10);
  answer.copy(unsigned, 0, idAt, idAt + 2);
  const expected = createHmac(hashOf(key), key.secret)
    .update(uint16(requestMac.length))
    .update(requestMac)
    .update(unsigned)
    .update(variables(key, timers, answer.subarray(idAt + 2)))
    .digest();
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return { ok: false, why: 'the signature does not match' };
  if (error !== 0) return { ok: false, why: `the server reports TSIG error ${error}` };
  const signedAt = timers.readUIntBE(0, 6);
  return Math.abs(atSeconds - signedAt) <= timers.readUInt16BE(6)
    ? { ok: true }
    : { ok: false, why: 'the signature is too old: compare the clocks' };
}

/** What RFC 8945 §4.3.3 digests besides the message; `tail` is error, length of other data, other data. */
function variables(key: TsigKey, timers: Buffer, tail: Buffer): Buffer {
  return Buffer.concat([encodeName(key.name), uint16(CLASS_ANY), Buffer.alloc(4), encodeName(key.algorithm), timers, tail]);
}

function hashOf(key: TsigKey): string {
  return key.algorithm.replace('hmac-', '');
}

function lower(name: Buffer): Buffer {
  return Buffer.from(name.toString('latin1').toLowerCase(), 'latin1');
}

function uint48(value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(value, 0, 6);
  return bytes;
}
