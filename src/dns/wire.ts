import packet from 'dns-packet';

/** The parts of RFC 1035 and 2136 that dns-packet does not encode: records without data, and the classes that carry the meaning of an update. */
const TYPES = { A: 1, SOA: 6, TXT: 16, AAAA: 28, ANY: 255 } as const;
const CLASSES = { IN: 1, NONE: 254, ANY: 255 } as const;
const OPCODE_UPDATE = 5 << 11;

export interface WireRecord {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly class: keyof typeof CLASSES;
  readonly ttl?: number;
  /** An address or a text; absent: no data. */
  readonly data?: string;
}

export interface UpdateMessage {
  readonly id: number;
  readonly zone: string;
  readonly prerequisites: readonly WireRecord[];
  readonly updates: readonly WireRecord[];
}

export function encodeUpdate(message: UpdateMessage): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(message.id, 0);
  header.writeUInt16BE(OPCODE_UPDATE, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(message.prerequisites.length, 6);
  header.writeUInt16BE(message.updates.length, 8);
  const zone = Buffer.concat([encodeName(message.zone), uint16(TYPES.SOA), uint16(CLASSES.IN)]);
  return Buffer.concat([header, zone, ...message.prerequisites.map(encodeRecord), ...message.updates.map(encodeRecord)]);
}

/** Canonical (lower case, uncompressed), as TSIG digests it. */
export function encodeName(name: string): Buffer {
  const labels = name.toLowerCase().replace(/\.$/, '').split('.').filter(Boolean);
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function encodeRecord(record: WireRecord): Buffer {
  const fixed = Buffer.alloc(8);
  fixed.writeUInt16BE(TYPES[record.type], 0);
  fixed.writeUInt16BE(CLASSES[record.class], 2);
  fixed.writeUInt32BE(record.ttl ?? 0, 4);
  return Buffer.concat([encodeName(record.name), fixed, record.data === undefined ? uint16(0) : encodeData(record.type, record.data)]);
}

/** With its length in front: what follows header, root name, type, class and TTL where dns-packet encodes the record alone. */
function encodeData(type: WireRecord['type'], data: string): Buffer {
  if (type !== 'A' && type !== 'AAAA' && type !== 'TXT') throw new RangeError(`no data for a ${type} record`);
  return packet.encode({ type: 'response', answers: [{ name: '.', type, data }] }).subarray(12 + 1 + 8);
}

/** Where the last record of the message begins; that is where a TSIG stands. Null when there is none or the message is cut. */
export function lastRecordOffset(message: Buffer): number | null {
  const count = (at: number): number => message.readUInt16BE(at);
  if (message.length < 12) return null;
  let offset = 12;
  let last: number | null = null;
  const records = count(6) + count(8) + count(10);
  try {
    for (let i = 0; i < count(4); i++) offset = skipName(message, offset) + 4;
    for (let i = 0; i < records; i++) {
      last = offset;
      offset = skipName(message, offset) + 10;
      offset += message.readUInt16BE(offset - 2);
    }
  } catch {
    return null;
  }
  return offset === message.length && count(10) > 0 ? last : null;
}

export function skipName(message: Buffer, at: number): number {
  let offset = at;
  for (;;) {
    const length = message.readUInt8(offset);
    if (length === 0) return offset + 1;
    if ((length & 0xc0) === 0xc0) return offset + 2;
    offset += 1 + length;
  }
}
