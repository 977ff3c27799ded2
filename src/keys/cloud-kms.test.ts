import { crc32c } from '@node-rs/crc32';
import { expect } from 'chai';
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EngineError } from '../platform/errors.ts';
import { openCloudKms } from './cloud-kms.ts';
import { keyServiceConformance } from './conformance.ts';
import type { KeyService } from './key-service.ts';

/** Encrypt and decrypt of Cloud KMS over HTTP, as its REST reference has them: 64-bit numbers are strings, bytes base64. */
type Call = Readonly<Record<string, string>>;
type Answer = Record<string, unknown>;

class Refusal extends Error {}

function keyFor(name: string): Buffer {
  return createHash('sha256').update(`test key of ${name}`).digest();
}

function checked(call: Call, field: string): Buffer {
  const bytes = Buffer.from(call[field] ?? '', 'base64');
  if (Number(call[`${field}Crc32c`]) !== crc32c(bytes)) throw new Refusal(`the CRC32C of ${field} differs`);
  return bytes;
}

function encrypt(name: string, call: Call): Answer {
  const [plain, aad] = [checked(call, 'plaintext'), checked(call, 'additionalAuthenticatedData')];
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyFor(name), iv).setAAD(aad);
  const ciphertext = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return {
    name: `${name}/cryptoKeyVersions/1`,
    ciphertext: ciphertext.toString('base64'),
    ciphertextCrc32c: String(crc32c(ciphertext)),
    verifiedPlaintextCrc32c: true,
    verifiedAdditionalAuthenticatedDataCrc32c: true,
    protectionLevel: 'SOFTWARE',
  };
}

function decrypt(name: string, call: Call): Answer {
  const [sealed, aad] = [checked(call, 'ciphertext'), checked(call, 'additionalAuthenticatedData')];
  if (sealed.length < 28) throw new Refusal('Decryption failed: the ciphertext is invalid.');
  const decipher = createDecipheriv('aes-256-gcm', keyFor(name), sealed.subarray(0, 12)).setAAD(aad).setAuthTag(sealed.subarray(-16));
  const plain = decipher.update(sealed.subarray(12, -16));
  try {
    decipher.final();
  } catch {
    throw new Refusal('Decryption failed: the ciphertext is invalid.');
  }
  return { plaintext: plain.toString('base64'), plaintextCrc32c: String(crc32c(plain)), usedPrimary: true, protectionLevel: 'SOFTWARE' };
}

describe('Cloud KMS', () => {
  const name = (key: string): string => `projects/p/locations/global/keyRings/r/cryptoKeys/${key}`;
  const aad = Buffer.from('aad');
  let server: Server;
  let endpoint: string;
  /** Changes the next answer on its way. */
  let tamper: ((answer: Answer) => Answer) | 'silence' | undefined;

  before(async () => {
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const path = new URL(request.url ?? '/', 'http://kms').pathname;
        const [, key, verb] = /^\/v1\/(.+):(encrypt|decrypt)$/.exec(path) ?? [];
        const send = (status: number, answer: Answer): void =>
          void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
        try {
          const call = JSON.parse(Buffer.concat(parts).toString()) as Call;
          const answer = verb === 'encrypt' ? encrypt(key ?? '', call) : decrypt(key ?? '', call);
          if (tamper !== 'silence') send(200, tamper?.(answer) ?? answer);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          send(400, { error: { code: 400, message: error.message, status: 'INVALID_ARGUMENT' } });
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    tamper = undefined;
  });

  const open = async (key = 'k', timeoutMs = 4000): Promise<KeyService> => openCloudKms({ keyName: name(key), endpoint, timeoutMs });

  keyServiceConformance(
    () => open(),
    () => open('other'),
  );

  async function expectRefused(attempt: Promise<unknown>, message: RegExp): Promise<void> {
    const outcome: unknown = await attempt.catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(EngineError).with.property('code', 'key-service-failed');
    expect((outcome as EngineError).message).to.match(message);
  }

  it('does not take what the service did not confirm to have got whole, or did with another key', async () => {
    const service = await open();
    const changes: readonly [Answer, RegExp][] = [
      [{ verifiedPlaintextCrc32c: false }, /does not confirm/],
      [{ verifiedAdditionalAuthenticatedDataCrc32c: undefined }, /does not confirm/],
      [{ ciphertextCrc32c: '1' }, /damaged on its way/],
      [{ ciphertextCrc32c: undefined }, /lacks/],
      [{ name: `${name('k2')}/cryptoKeyVersions/1` }, /used the key/],
    ];
    for (const [change, message] of changes) {
      tamper = (answer) => ({ ...answer, ...change });
      await expectRefused(service.wrap(Buffer.from('secret'), aad), message);
    }
  });

  it('does not take a key that was damaged on its way back', async () => {
    const service = await open();
    const wrapped = await service.wrap(Buffer.from('secret'), aad);
    tamper = (answer) => ({ ...answer, plaintext: Buffer.from('Secret').toString('base64') });
    await expectRefused(service.unwrap(wrapped, aad), /damaged on its way/);
    tamper = ({ plaintextCrc32c: _left, ...answer }) => answer;
    await expectRefused(service.unwrap(wrapped, aad), /lacks/);
  });

  it('waits no longer than it may, and stops when it is told to', async () => {
    tamper = 'silence';
    await expectRefused((await open('k', 100)).wrap(Buffer.from('secret'), aad), /no answer within 100 ms/);
    // Given up by the client as well: it would keep asking, and the process from ending, for a minute.
    while ((await connectionsOf(server)) > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const stop = new AbortController();
    const outcome = (await open('k', 1000)).wrap(Buffer.from('secret'), aad, stop.signal).catch((error: unknown) => error);
    setImmediate(() => stop.abort(new Error('stop')));
    expect(await outcome).to.have.property('message', 'stop');
  });

  it('is not opened under a name that is no key', () => {
    for (const wrong of ['', 'k', `${name('k')}/cryptoKeyVersions/1`])
      expect(() => openCloudKms({ keyName: wrong, timeoutMs: 1 })).to.throw(EngineError, 'is no Cloud KMS key');
  });
});

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))));
}
