import { ApiError, Storage, type Bucket, type File } from '@google-cloud/storage';
import { crc32c as crc32cOf } from '@node-rs/crc32';
import type { Readable } from 'node:stream';
import { bounded } from '../platform/abort.ts';
import { EngineError } from '../platform/errors.ts';
import { checkedCrc32c, checkGet, checkName, checkPrefix, isName, tooLarge } from './object-checks.ts';
import type { DeleteOutcome, GetOptions, GetOutcome, ObjectStore, PutOptions, PutOutcome, StoredObject } from './object-store.ts';

export interface GcsOptions {
  readonly bucket: string;
  readonly projectId?: string;
  /** Of another server than Google's, as http://127.0.0.1:4443; it gets no credentials. Default: STORAGE_EMULATOR_HOST, if set. */
  readonly endpoint?: string;
  /** Limit of each call. What takes longer is transient, and may have been carried out. */
  readonly timeoutMs: number;
}

/** Above this, an upload is one that goes on after a broken connection; below, a single request is faster and simpler. */
const RESUMABLE_ABOVE_BYTES = 32 * 1024 * 1024;
const PAGE_OBJECTS = 1000;

/**
 * Objects in a bucket of Google Cloud Storage. Every write has a generation precondition; the bucket gets our CRC32C with the bytes, and its answer is
 * compared with it; a whole read is compared with what the bucket says. Credentials are Google's application default ones.
 */
export function openGcsStore(options: GcsOptions): ObjectStore {
  const bucket = openBucket(options);
  return {
    supports: { conditionalReplace: true, storedChecksums: true },
    put: (name, body, put) => call(options, name, put?.signal, (signal) => putObject(bucket.file(name), body, put, signal)),
    get: (name, get) => call(options, name, get.signal, (signal) => getObject(bucket.file(name), get, signal)),
    stat: (name, signal) => call(options, name, signal, () => statObject(bucket.file(name))),
    delete: (name, remove) => call(options, name, remove?.signal, () => deleteObject(bucket.file(name), remove?.generation)),
    list: async function* (prefix, list) {
      checkPrefix(prefix);
      let pageToken: string | undefined;
      do {
        const page = await call(options, null, list?.signal, () => listPage(bucket, { prefix, after: list?.after, pageToken }));
        yield* page.objects;
        pageToken = page.next;
      } while (pageToken !== undefined);
    },
  };
}

function openBucket(options: GcsOptions): Bucket {
  const given = options.endpoint ?? process.env['STORAGE_EMULATOR_HOST'];
  const endpoint = given === undefined || given === '' ? undefined : given.includes('://') ? given : `http://${given}`;
  const projectId = options.projectId ?? (endpoint === undefined ? undefined : 'emulator');
  const storage = new Storage({
    retryOptions: { autoRetry: false, maxRetries: 0 },
    timeout: options.timeoutMs, // else a request given up here would go on until its connection ends
    ...(projectId === undefined ? {} : { projectId }),
    ...(endpoint === undefined ? {} : { apiEndpoint: new URL(endpoint).origin }),
  });
  // The client takes STORAGE_EMULATOR_HOST as it is for its base URL; without the path, its lists and stats fail.
  if (endpoint !== undefined) storage.baseUrl = `${new URL(endpoint).origin}/storage/v1`;
  return storage.bucket(options.bucket);
}

async function putObject(file: File, body: Uint8Array, options: PutOptions | undefined, signal: AbortSignal): Promise<PutOutcome> {
  const crc32c = checkedCrc32c(file.name, body, options);
  const replace = options?.replace?.generation;
  try {
    await upload(file, body, crc32c, replace ?? '0', signal);
  } catch (error) {
    if (statusOf(error) === 412 || (replace !== undefined && statusOf(error) === 404)) {
      return { outcome: replace === undefined ? 'exists' : 'changed' };
    }
    throw error;
  }
  const object = describeObject(file.name, file.metadata);
  if (object.bytes === body.length && object.crc32c === crc32c) return { outcome: 'stored', object };
  // What is wrong there would be found by its reader, too. One that was replaced stays: where it is gone nobody knows that there was one (a lease, and its epoch).
  if (replace === undefined) await deleteObject(file, object.generation).catch(() => undefined);
  throw new EngineError(
    'object-store-transient',
    `${file.name}: the bucket stored ${object.bytes} bytes with CRC32C ${object.crc32c}, not ours`,
  );
}

function upload(file: File, body: Uint8Array, crc32c: number, ifGeneration: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = file.createWriteStream({
      resumable: body.length > RESUMABLE_ABOVE_BYTES,
      validation: false, // done here, by faster code
      preconditionOpts: { ifGenerationMatch: ifGeneration as unknown as number }, // 64 bits: a number would be rounded
      // A bucket that somebody made public would else be answered from caches.
      metadata: { contentType: 'application/octet-stream', cacheControl: 'no-store', crc32c: encodeCrc32c(crc32c) },
    });
    const abort = (): void => void stream.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    stream.on('error', reject);
    stream.on('finish', () => resolve());
    stream.on('close', () => {
      signal.removeEventListener('abort', abort);
      reject(new Error('the upload was closed before it was finished'));
    });
    stream.end(body);
  });
}

async function getObject(file: File, options: GetOptions, signal: AbortSignal): Promise<GetOutcome> {
  checkGet(options);
  const { range, maxBytes } = options;
  const stream = file.createReadStream({
    validation: false,
    decompress: false,
    ...(range === undefined ? {} : { start: range.begin, end: range.end - 1 }),
  });
  let headers: Readonly<Record<string, string | undefined>> = {};
  stream.on('response', (response: { readonly headers: Readonly<Record<string, string | undefined>> }) => (headers = response.headers));
  try {
    const body = await collect(stream, file.name, maxBytes, signal);
    const stated = /crc32c=([A-Za-z0-9+/=]+)/.exec(headers['x-goog-hash'] ?? '')?.[1];
    if (range === undefined && (stated === undefined || stated !== encodeCrc32c(crc32cOf(body)))) {
      throw new EngineError(
        'object-store-transient',
        `${file.name}: the ${body.length} bytes that came do not have the CRC32C that the bucket states`,
      );
    }
    return { outcome: 'found', body, generation: headers['x-goog-generation'] ?? '' };
  } catch (error) {
    if (statusOf(error) === 404) return { outcome: 'not-found' };
    if (statusOf(error) !== 416) throw error;
    const object = await statObject(file); // the range begins at or after the end
    return object === null ? { outcome: 'not-found' } : { outcome: 'found', body: Buffer.alloc(0), generation: object.generation };
  }
}

async function collect(stream: Readable, name: string, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  let piped = false;
  stream.once('pipe', () => (piped = true));
  const destroy = (): void => void stream.destroy(signal.reason as Error);
  // Destroyed before the answer is piped into it, the client would throw where nobody can catch it (google-cloud-node issue 9242).
  const abort = (): void => void (piped ? destroy() : stream.once('pipe', () => setImmediate(destroy)));
  signal.addEventListener('abort', abort, { once: true });
  try {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of stream as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > maxBytes) throw tooLarge(name, bytes, maxBytes);
      parts.push(part);
    }
    return Buffer.concat(parts);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function statObject(file: File): Promise<StoredObject | null> {
  try {
    const [metadata] = await file.getMetadata();
    return describeObject(file.name, metadata);
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

async function deleteObject(file: File, generation: string | undefined): Promise<DeleteOutcome> {
  try {
    await file.delete(generation === undefined ? {} : { ifGenerationMatch: generation });
    return { outcome: 'deleted' };
  } catch (error) {
    if (statusOf(error) === 404) return { outcome: 'not-found' };
    if (statusOf(error) !== 412) throw error;
    return { outcome: (await statObject(file)) === null ? 'not-found' : 'changed' };
  }
}

interface Page {
  readonly prefix: string;
  readonly after: string | undefined;
  readonly pageToken: string | undefined;
}

async function listPage(
  bucket: Bucket,
  { prefix, after, pageToken }: Page,
): Promise<{ readonly objects: StoredObject[]; readonly next: string | undefined }> {
  const [files, nextQuery] = await bucket.getFiles({
    prefix,
    autoPaginate: false,
    maxResults: PAGE_OBJECTS,
    ...(after === undefined ? {} : { startOffset: after }), // begins with that name itself
    ...(pageToken === undefined ? {} : { pageToken }),
  });
  const next = (nextQuery as { readonly pageToken?: string } | null)?.pageToken;
  // What somebody else put beside the objects is none: the empty one that a console makes for a folder, `keys/`.
  const wanted = files.filter((file) => isName(file.name) && (after === undefined || file.name > after));
  return { objects: wanted.map((file) => describeObject(file.name, file.metadata)), next: next === '' ? undefined : next };
}

function describeObject(name: string, metadata: File['metadata']): StoredObject {
  const { size, crc32c, generation } = metadata;
  if (size === undefined || crc32c === undefined || generation === undefined) {
    throw new EngineError('object-store-failed', `${name}: the bucket's answer lacks size, CRC32C or generation`);
  }
  return { name, bytes: Number(size), crc32c: Buffer.from(crc32c, 'base64').readUInt32BE(0), generation: String(generation) };
}

function encodeCrc32c(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.toString('base64');
}

/** One call, within its limit; whatever fails is told as what it was about. */
async function call<T>(
  { bucket, timeoutMs }: GcsOptions,
  name: string | null,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (name !== null) checkName(name);
  const what = `bucket ${bucket}, ${name ?? 'list'}`;
  const asError = (error: unknown, timedOut: boolean): EngineError => {
    if (error instanceof EngineError) return error;
    if (timedOut) return new EngineError('object-store-transient', `${what}: no answer within ${timeoutMs} ms`, error);
    return storeError(what, error);
  };
  return await bounded({ timeoutMs, signal, asError }, work);
}

/** Refusals of the server are final, but for those that it calls temporary; everything else is a broken connection. */
function storeError(what: string, error: unknown): EngineError {
  const status = statusOf(error);
  const transient = status === undefined ? !(error instanceof TypeError) : status === 408 || status === 429 || status >= 500;
  const reason = error instanceof Error ? error.message.slice(0, 300) : String(error);
  return new EngineError(transient ? 'object-store-transient' : 'object-store-failed', `${what}: ${status ?? ''} ${reason}`.trim(), error);
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof ApiError && typeof error.code === 'number') return error.code;
  const code = error instanceof Error && 'code' in error ? Number(error.code) : Number.NaN;
  return Number.isInteger(code) && code >= 300 ? code : undefined;
}
