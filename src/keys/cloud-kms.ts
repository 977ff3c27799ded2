import { KeyManagementServiceClient } from '@google-cloud/kms';
import { crc32c } from '@node-rs/crc32';
import { PassThroughClient } from 'google-auth-library';
import { bounded } from '../platform/abort.ts';
import { EngineError } from '../platform/errors.ts';
import { MAX_WRAP_BYTES, type KeyService } from './key-service.ts';

export interface CloudKmsOptions {
  /** `projects/P/locations/L/keyRings/R/cryptoKeys/K`; new wraps take its primary version, old ones open with theirs. */
  readonly keyName: string;
  /** Another server than Google's, as http://127.0.0.1:8080; it gets no credentials. */
  readonly endpoint?: string;
  /** Limit of a call, tries of the client included. */
  readonly timeoutMs: number;
}

const KEY_NAME = /^projects\/[^/\s]+\/locations\/[^/\s]+\/keyRings\/[^/\s]+\/cryptoKeys\/[^/\s]+$/;

/** A key in Cloud KMS, over its REST transport. All lengths of the way are covered by CRC32C, as Google asks of those who cannot afford to lose a key. */
export function openCloudKms(options: CloudKmsOptions): KeyService {
  const { keyName, timeoutMs } = options;
  if (!KEY_NAME.test(keyName))
    throw new EngineError('bad-config', `${JSON.stringify(keyName)} is no Cloud KMS key: projects/P/locations/L/keyRings/R/cryptoKeys/K`);
  const client = openClient(options.endpoint);
  const asError = (error: unknown, timedOut: boolean): EngineError => {
    if (error instanceof EngineError) return error;
    if (timedOut) return refused(keyName, `no answer within ${timeoutMs} ms`, error);
    return refused(keyName, error instanceof Error ? error.message.slice(0, 300) : String(error), error);
  };
  const call = <T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> => bounded({ timeoutMs, signal, asError }, work);
  return {
    kind: 'cloud-kms',
    keyName,
    wrap: (plain, aad, signal) => {
      if (plain.length === 0 || plain.length > MAX_WRAP_BYTES) {
        return Promise.reject(new EngineError('bad-request', `cannot wrap a key of ${plain.length} bytes`));
      }
      return call(signal, () => encrypt(client, { keyName, timeoutMs }, plain, aad));
    },
    unwrap: (wrapped, aad, signal) => call(signal, () => decrypt(client, { keyName, timeoutMs }, wrapped, aad)),
  };
}

function openClient(endpoint: string | undefined): KeyManagementServiceClient {
  if (endpoint === undefined) return new KeyManagementServiceClient({ fallback: true });
  const url = new URL(endpoint);
  const port = url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port);
  return new KeyManagementServiceClient({
    fallback: true,
    apiEndpoint: url.hostname,
    port,
    protocol: url.protocol.slice(0, -1),
    authClient: new PassThroughClient(),
  });
}

interface Asked {
  readonly keyName: string;
  /** The client goes on asking for a minute otherwise, which nobody waits for any more: it would keep the process from ending. */
  readonly timeoutMs: number;
}

async function encrypt(
  client: KeyManagementServiceClient,
  { keyName, timeoutMs }: Asked,
  plain: Uint8Array,
  aad: Uint8Array,
): Promise<Buffer> {
  const request = {
    name: keyName,
    plaintext: plain,
    plaintextCrc32c: { value: crc32c(plain) },
    additionalAuthenticatedData: aad,
    additionalAuthenticatedDataCrc32c: { value: crc32c(aad) },
  };
  const [answer] = await client.encrypt(request, { timeout: timeoutMs });
  if (answer.verifiedPlaintextCrc32c !== true || answer.verifiedAdditionalAuthenticatedDataCrc32c !== true) {
    throw refused(keyName, 'the service does not confirm the CRC32C of what it got');
  }
  if (answer.name === undefined || answer.name === null || !answer.name.startsWith(`${keyName}/cryptoKeyVersions/`)) {
    throw refused(keyName, `the service used the key ${String(answer.name)}`);
  }
  return received(keyName, answer.ciphertext, answer.ciphertextCrc32c?.value);
}

async function decrypt(
  client: KeyManagementServiceClient,
  { keyName, timeoutMs }: Asked,
  wrapped: Uint8Array,
  aad: Uint8Array,
): Promise<Buffer> {
  const request = {
    name: keyName,
    ciphertext: wrapped,
    ciphertextCrc32c: { value: crc32c(wrapped) },
    additionalAuthenticatedData: aad,
    additionalAuthenticatedDataCrc32c: { value: crc32c(aad) },
  };
  const [answer] = await client.decrypt(request, { timeout: timeoutMs });
  return received(keyName, answer.plaintext, answer.plaintextCrc32c?.value);
}

/** Bytes that came, checked against the CRC32C that came with them. */
function received(keyName: string, given: Uint8Array | string | null | undefined, stated: unknown): Buffer {
  if (given === null || given === undefined || stated === null || stated === undefined)
    throw refused(keyName, 'the answer lacks bytes or their CRC32C');
  const bytes = typeof given === 'string' ? Buffer.from(given, 'base64') : Buffer.from(given);
  if (Number(stated) !== crc32c(bytes)) throw refused(keyName, 'the answer was damaged on its way: its CRC32C differs');
  return bytes;
}

function refused(keyName: string, why: string, cause?: unknown): EngineError {
  return new EngineError('key-service-failed', `${keyName}: ${why}`, cause);
}
