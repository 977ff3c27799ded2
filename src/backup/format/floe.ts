import {
  CDR1_FLOE,
  damaged,
  decryptFloeSegment,
  encryptFloeSegment,
  encryptFloeSegmentInto,
  FLOE_HEADER_BYTES,
  FLOE_SEGMENT_OVERHEAD_BYTES,
  floePlainSegmentBytes,
  peekFloeSegment,
  startFloeDecryption,
  startFloeEncryption,
  type FloeMessage,
  type FloeParameters,
} from './floe-core.ts';
import { SegmentBuffer } from './segment-buffer.ts';

/** Length of the encrypted object for so many bytes of plaintext. */
export function floeSealedBytes(plainBytes: number, parameters: FloeParameters = CDR1_FLOE): number {
  const segments = Math.max(1, Math.ceil(plainBytes / floePlainSegmentBytes(parameters)));
  return FLOE_HEADER_BYTES + plainBytes + segments * FLOE_SEGMENT_OVERHEAD_BYTES;
}

/** Encrypts a whole object that is in memory. The result differs on each call: the IVs are random. */
export function sealFloe(key: Uint8Array, aad: Uint8Array, plain: Uint8Array, parameters: FloeParameters = CDR1_FLOE): Buffer {
  const sealed = Buffer.allocUnsafeSlow(floeSealedBytes(plain.length, parameters));
  sealFloeInto(key, aad, plain, sealed, parameters);
  return sealed;
}

/** As sealFloe, into memory of at least the object's length; returns the part of it that is the object. */
export function sealFloeInto(
  key: Uint8Array,
  aad: Uint8Array,
  plain: Uint8Array,
  target: Buffer,
  parameters: FloeParameters = CDR1_FLOE,
): Buffer {
  const { message, header } = startFloeEncryption(key, aad, parameters);
  const full = floePlainSegmentBytes(parameters);
  const last = Math.max(0, Math.ceil(plain.length / full) - 1);
  let at = header.copy(target);
  for (let position = 0; position <= last; position++) {
    const part = plain.subarray(position * full, (position + 1) * full);
    const end = at + part.length + FLOE_SEGMENT_OVERHEAD_BYTES;
    encryptFloeSegmentInto(message, part, { position, isFinal: position === last }, target.subarray(at, end));
    at = end;
  }
  return target.subarray(0, at);
}

/**
 * Decrypts a whole object that is in memory; nothing is returned unless all of it authenticates and ends where it says.
 * @throws EngineError backup-damaged
 */
export function openFloe(key: Uint8Array, aad: Uint8Array, sealed: Uint8Array, parameters: FloeParameters = CDR1_FLOE): Buffer {
  const reader = openFloeReader(key, aad, sealed.subarray(0, FLOE_HEADER_BYTES), sealed.length, parameters);
  const parts: Buffer[] = [];
  for (let position = 0; position < reader.segments; position++) {
    const { begin, end } = reader.sealedRange(position);
    parts.push(reader.decrypt(position, sealed.subarray(begin, end)));
  }
  return Buffer.concat(parts);
}

/** Encrypts a stream: yields the header, then one piece per segment. Holds at most one segment, whatever the source's pieces are. */
export async function* encryptFloeStream(
  key: Uint8Array,
  aad: Uint8Array,
  source: AsyncIterable<Uint8Array>,
  parameters: FloeParameters = CDR1_FLOE,
): AsyncGenerator<Buffer, void, undefined> {
  const { message, header } = startFloeEncryption(key, aad, parameters);
  yield header;
  const segment = new SegmentBuffer(floePlainSegmentBytes(parameters));
  let position = 0;
  for await (const piece of source) {
    let rest = segment.fill(piece);
    while (rest.length > 0) {
      // Only now is it known that the full segment is not the final one.
      yield encryptFloeSegment(message, segment.take(), position++, false);
      rest = segment.fill(rest);
    }
  }
  yield encryptFloeSegment(message, segment.take(), position, true);
}

/**
 * Decrypts a stream: yields one piece per segment, each authenticated and in its place. Holds at most one segment. That the object is complete is
 * known only when the generator returns: until then the consumer must not commit what it got.
 * @throws EngineError backup-damaged on anything that was not written so: changed, cut, continued, reordered, other key or AAD
 */
export async function* decryptFloeStream(
  key: Uint8Array,
  aad: Uint8Array,
  source: AsyncIterable<Uint8Array>,
  parameters: FloeParameters = CDR1_FLOE,
): AsyncGenerator<Buffer, void, undefined> {
  const head = new SegmentBuffer(FLOE_HEADER_BYTES);
  const segment = new SegmentBuffer(parameters.segmentBytes);
  let message: FloeMessage | undefined;
  let position = 0;
  let ended = false;
  for await (const piece of source) {
    let rest = piece;
    if (message === undefined) {
      rest = head.fill(piece);
      if (!head.isFull) continue;
      message = startFloeDecryption(key, aad, head.take(), parameters);
    }
    while (rest.length > 0) {
      if (ended) throw damaged('bytes follow the final segment');
      rest = segment.fill(rest);
      if (!segment.isFull) continue;
      const sealed = segment.take();
      ended = peekFloeSegment(sealed).isFinal;
      yield decryptFloeSegment(message, sealed, position++, ended);
    }
  }
  if (message === undefined) throw damaged('cut within its header');
  if (ended) return;
  // A final segment that is shorter than the others shows itself only by the end of the source.
  yield decryptFloeSegment(message, segment.take(), position, true);
}

/** Random access to an object of known length. The length decides which segment is the final one, so a cut object cannot pass. */
export interface FloeReader {
  readonly segments: number;
  readonly plainBytes: number;
  /** Where the segment lies in the object: [begin, end). */
  sealedRange(position: number): { readonly begin: number; readonly end: number };
  /** The segments that hold plaintext [begin, end), and where that range begins in the first one's plaintext. */
  locate(begin: number, end: number): { readonly first: number; readonly last: number; readonly skipBytes: number };
  /** @throws EngineError backup-damaged */
  decrypt(position: number, sealed: Uint8Array): Buffer;
}

/**
 * Opens an object for random access, given its first FLOE_HEADER_BYTES bytes and its total length (from the signed manifest or the store).
 * @throws EngineError backup-damaged when the header does not authenticate or no FLOE object has this length
 */
export function openFloeReader(
  key: Uint8Array,
  aad: Uint8Array,
  header: Uint8Array,
  objectBytes: number,
  parameters: FloeParameters = CDR1_FLOE,
): FloeReader {
  const message = startFloeDecryption(key, aad, header, parameters);
  const bodyBytes = objectBytes - FLOE_HEADER_BYTES;
  const segments = Math.ceil(bodyBytes / parameters.segmentBytes);
  const lastBytes = bodyBytes - (segments - 1) * parameters.segmentBytes;
  if (segments < 1 || lastBytes < FLOE_SEGMENT_OVERHEAD_BYTES) throw damaged(`no object has ${objectBytes} bytes: it was cut or continued`);
  const full = floePlainSegmentBytes(parameters);
  const plainBytes = bodyBytes - segments * FLOE_SEGMENT_OVERHEAD_BYTES;
  const checked = (position: number): number => {
    if (!Number.isInteger(position) || position < 0 || position >= segments) throw new RangeError(`no segment ${position} of ${segments}`);
    return position;
  };
  return {
    segments,
    plainBytes,
    sealedRange: (position) => {
      const begin = FLOE_HEADER_BYTES + checked(position) * parameters.segmentBytes;
      return { begin, end: Math.min(begin + parameters.segmentBytes, objectBytes) };
    },
    locate: (begin, end) => {
      if (!(begin >= 0 && begin < end && end <= plainBytes)) throw new RangeError(`no plaintext ${begin}..${end} of ${plainBytes}`);
      const first = Math.floor(begin / full);
      return { first, last: Math.floor((end - 1) / full), skipBytes: begin - first * full };
    },
    decrypt: (position, sealed) => {
      const isFinal = checked(position) === segments - 1;
      if (isFinal && sealed.length !== lastBytes) throw damaged(`segment ${position} is ${sealed.length} bytes, not ${lastBytes}`);
      return decryptFloeSegment(message, sealed, position, isFinal);
    },
  };
}
