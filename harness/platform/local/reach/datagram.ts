/** What a probe datagram carries: which session and link it belongs to, and its number there. */
export interface Probe {
  readonly session: number;
  readonly link: number;
  readonly seq: number;
}

/** `DRrp`: so that nothing else that may arrive at the port is taken for a probe. */
const MAGIC = 0x44527270;
const BYTES = 16;

export function encodeProbe({ session, link, seq }: Probe): Buffer {
  const buffer = Buffer.allocUnsafe(BYTES);
  buffer.writeUInt32BE(MAGIC, 0);
  buffer.writeUInt32BE(session, 4);
  buffer.writeUInt32BE(link, 8);
  buffer.writeUInt32BE(seq, 12);
  return buffer;
}

/** undefined for anything that is no probe. */
export function decodeProbe(buffer: Buffer): Probe | undefined {
  if (buffer.length !== BYTES || buffer.readUInt32BE(0) !== MAGIC) return undefined;
  return { session: buffer.readUInt32BE(4), link: buffer.readUInt32BE(8), seq: buffer.readUInt32BE(12) };
}
