import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { encodeBlobIndex, decodeBlobIndex } from '../backup/format/blob-index.ts';
import { decodeBlob, encodeBlob } from '../backup/format/blob.ts';
import { decodeCanonical, encodeCanonical } from '../backup/format/canonical-json.ts';
import { decodeChangeSegment, encodeChangeSegment, type Change } from '../backup/format/change-segment.ts';
import { decodeEdges, encodeEdges } from '../backup/format/edges.ts';
import { openFloe, sealFloe } from '../backup/format/floe.ts';
import { decodeKeyWrap, unwrapEpochKey, wrapEpochKey } from '../backup/format/key-wrap.ts';
import { decodeLogSegment, encodeLogSegment } from '../backup/format/log-segment.ts';
import { decodeManifest } from '../backup/format/manifest.ts';
import { decodeRangeFile, encodeRangeFile } from '../backup/format/records.ts';
import { signDocument, verifyDocument } from '../backup/format/signing.ts';
import { createOfflineKeyFile, openOfflineKeyFile, openRecipient } from '../keys/offline-key.ts';
import { EngineError, type EngineErrorCode } from '../platform/errors.ts';

export interface FuzzResult {
  readonly inputs: number;
  readonly refused: number;
  readonly accepted: number;
  /** CPU time of the slowest input. */
  readonly slowestMs: number;
  /** In use after each tenth of the inputs, garbage collected. */
  readonly memoryBytes: readonly number[];
}

const MAX_INPUT_MS = 2_000;
/** Between the fifth tenth of the inputs and the last: what the allocator takes until it has settled is not counted. */
const MAX_GROWTH_BYTES = 32 * 1024 * 1024;
/** One input must not take more than a large blob and what decoding it needs. */
const MAX_PEAK_BYTES = 512 * 1024 * 1024;

interface Target {
  readonly name: string;
  readonly sample: Buffer;
  readonly decode: (bytes: Buffer) => unknown;
}

/** Gives every decoder valid inputs with bytes changed, cut, doubled and put elsewhere: each must be taken or refused with an error of ours. Throws at the first that is not. */
export async function runFuzz(inputs: number, random: () => number): Promise<FuzzResult> {
  const targets = await makeTargets();
  const memoryBytes: number[] = [];
  // What the process had in use before, and at its own peak before, is not of the decoders.
  const [startBytes, startPeakKib] = [process.memoryUsage.rss(), process.resourceUsage().maxRSS];
  let [refused, slowestMs] = [0, 0];
  for (let n = 0; n < inputs; n++) {
    const { name, sample, decode } = targets[n % targets.length]!;
    const input = mutated(sample, random);
    // zlib frees what a failed call held only when the event loop turns.
    if (n % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (n > 0 && n % Math.ceil(inputs / 10) === 0) memoryBytes.push(await memoryInUse());
    const before = process.cpuUsage();
    try {
      await decode(input);
    } catch (error) {
      if (!(error instanceof EngineError) || !REFUSALS.has(error.code))
        throw new Error(`${name} threw on ${input.toString('hex').slice(0, 4000)}`, { cause: error });
      refused++;
    }
    // Of the CPU: a machine that is busy with others stalls any of them.
    const { user, system } = process.cpuUsage(before);
    slowestMs = Math.max(slowestMs, (user + system) / 1000);
    if (slowestMs > MAX_INPUT_MS) throw new Error(`${name} took ${slowestMs} ms on ${input.length} bytes`);
  }
  memoryBytes.push(await memoryInUse());
  const growthBytes = memoryBytes.at(-1)! - memoryBytes[4]!;
  if (growthBytes > MAX_GROWTH_BYTES) throw new Error(`memory grew by ${growthBytes} bytes in the second half: ${memoryBytes.join(' ')}`);
  const { maxRSS: peakKib } = process.resourceUsage();
  if (peakKib > startPeakKib && peakKib * 1024 - startBytes > MAX_PEAK_BYTES)
    throw new Error(`at the peak ${peakKib} KiB were in use, ${startBytes} bytes at the start`);
  return { inputs, refused, accepted: inputs - refused, slowestMs: Math.round(slowestMs * 10) / 10, memoryBytes };
}

const REFUSALS: ReadonlySet<string> = new Set<EngineErrorCode>(['backup-damaged', 'backup-unsupported', 'key-service-failed']);

/** Resident memory, without what V8 only keeps in reserve: it changes the size of its young generation at will. */
async function memoryInUse(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 2; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return rss - heapTotal + heapUsed;
}

async function makeTargets(): Promise<readonly Target[]> {
  const bytes = (text: string): Buffer => Buffer.from(text);
  const key = Buffer.alloc(32, 7);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const records = Array.from({ length: 5 }, (_, n) => ({ key: bytes(`key ${n}`), value: bytes(`value ${n}`.repeat(n)) }));
  const entries = records.map(({ key: name, value }, n) => ({ epoch: 1 + n, op: 'put' as const, key: name, value }));
  const changes = entries.map((entry, n): Change => ({ ...entry, version: 10 + n, op: n % 2 === 0 ? 'put' : 'clear' }));
  const places = records.map((_, n) => ({
    blob: Buffer.alloc(32, n),
    pack: Buffer.alloc(16, n),
    offset: n,
    storedBytes: n,
    plainBytes: n,
  }));
  const folder = mkdtempSync(join(tmpdir(), 'coditect-fuzz-'));
  const recipient = openRecipient(await createOfflineKeyFile(join(folder, 'offline')));
  const offline = await openOfflineKeyFile(join(folder, 'offline'));
  rmSync(folder, { recursive: true });
  const wrapped = await wrapEpochKey(key, { repo: '0f8fad5b-d9cb-469f-a165-70867728950e', epoch: 1n }, recipient, new Date(0));
  const manifest = { format: { major: 1, minor: 0 }, backupId: '01ARYZ6S410000000000000000', ranges: [], packs: [] };
  return [
    { name: 'range file', sample: encodeRangeFile({ begin: bytes(''), end: null }, records), decode: decodeRangeFile },
    { name: 'range file, footer mended', sample: encodeRangeFile({ begin: bytes(''), end: bytes('z') }, records), decode: decodeRangeFile },
    { name: 'blob', sample: encodeBlob(bytes('some text '.repeat(30)), 1), decode: decodeBlob },
    { name: 'plain blob', sample: encodeBlob(bytes('some text'), null), decode: decodeBlob },
    { name: 'index', sample: encodeBlobIndex(places), decode: decodeBlobIndex },
    {
      name: 'edges',
      sample: encodeEdges(records.map(({ key: begin }, n) => ({ begin, records: n, bytes: n * 1000 }))),
      decode: decodeEdges,
    },
    {
      name: 'log segment',
      sample: encodeLogSegment({ previous: Buffer.alloc(32), begin: 5, epochBefore: 1, wallMs: 1_700_000_000_000, entries }),
      decode: decodeLogSegment,
    },
    {
      name: 'log segment of changes',
      sample: encodeChangeSegment({ previous: Buffer.alloc(32), begin: 5, end: 900, epochBefore: 1, wallMs: 1_700_000_000_000, changes }),
      decode: decodeChangeSegment,
    },
    { name: 'manifest', sample: encodeCanonical(manifest), decode: decodeManifest },
    {
      name: 'canonical JSON',
      sample: encodeCanonical({ a: [1, 'x', null, { b: true }] }),
      decode: (input) => decodeCanonical(input, 1e6, 'x'),
    },
    { name: 'key wrap', sample: wrapped.bytes, decode: (input) => unwrapEpochKey(decodeKeyWrap('x', input), offline) },
    { name: 'wrapped to a recipient', sample: await recipient.wrap(key, key), decode: (input) => offline.unwrap(input, key) },
    { name: 'FLOE', sample: sealFloe(key, key, bytes('secret '.repeat(20))), decode: (input) => openFloe(key, key, input) },
    {
      name: 'signed document',
      sample: signDocument('x', { a: 1 }, privateKey),
      decode: (input) => verifyDocument('x', input, [publicKey]),
    },
  ];
}

function mutated(sample: Buffer, random: () => number): Buffer {
  let bytes = Buffer.from(sample);
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let change = 1 + below(4); change > 0; change--) {
    const at = below(Math.max(1, bytes.length));
    const kind = below(7);
    if (kind === 0 && bytes.length > 0) bytes[at] = bytes[at]! ^ (1 << below(8));
    else if (kind === 1 && bytes.length > 0) bytes[at] = [0, 0x7f, 0x80, 0xff][below(4)]!;
    else if (kind === 2) bytes = bytes.subarray(0, at);
    else if (kind === 3)
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f].slice(below(4))), bytes.subarray(at)]);
    else if (kind === 4) bytes = Buffer.concat([bytes, bytes.subarray(at)]);
    else if (kind === 5) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + below(8)))]);
    else bytes = Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]);
    bytes = Buffer.from(bytes);
  }
  return bytes;
}
