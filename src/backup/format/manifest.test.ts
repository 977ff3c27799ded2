import { expect } from 'chai';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { EngineError, type EngineErrorCode } from '../../platform/errors.ts';
import { encodeCanonical, type CanonicalObject } from './canonical-json.ts';
import { deriveEpochKeys, newEpochKey, type EpochKeys } from './epoch-keys.ts';
import { FORMAT_VECTORS as V } from './format-vectors.ts';
import { decodeManifest, encodeManifest, openManifest, sealManifest, type Manifest } from './manifest.ts';
import { signDocument, SIGNED_HEADER_BYTES, signerId, signObject, verifyDocument, verifyObject } from './signing.ts';

const seed = Buffer.from(Array.from({ length: 32 }, (_, n) => n + 32));
const signingKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
  format: 'der',
  type: 'pkcs8',
});
const publicKey = createPublicKey(signingKey);
const stranger = generateKeyPairSync('ed25519');
const keys = deriveEpochKeys(Buffer.from(Array.from({ length: 32 }, (_, n) => n)));
const keysOf = async (): Promise<EpochKeys> => keys;

const manifest: Manifest = {
  format: { major: 1, minor: 0 },
  backupId: '01ARYZ6S410000000000000000',
  repo: V.repo,
  cluster: { id: 'c1', description: 'orders' },
  database: { kind: 'embedded', version: '3.5.6' },
  kind: 'full',
  consistency: 'exact',
  beginVersion: '10',
  endVersion: '18446744073709551615',
  readVersion: '17',
  clock: [{ version: '17', wall: '2026-11-22T18:00:00.000Z' }],
  generation: '1',
  ranges: [{ begin: '', end: null, files: 2, records: 20, lists: [V.blobs[0]], root: V.listRoot }],
  packs: [{ id: V.packId, bytes: 1234, crc32c: 4294967295, generation: '1732298400000000' }],
  index: [],
  totals: { records: 20, plainBytes: 4000, storedBytes: 1234 },
  codecs: { compression: 'zstd-1', chunker: 'key-hash', implementation: { zstd: 'node 24.21.0' } },
  kid: V.keys.kid,
  epoch: '7',
  lease: { epoch: '12', holder: 'us-east1' },
  parent: null,
  log: null,
  tool: { name: 'coditect-dr', version: '0.1.0' },
  configDigest: V.listRoot,
  created: '2026-11-22T18:00:00.000Z',
  retainUntil: null,
  legalHold: false,
  labels: { 'app.kubernetes.io/name': 'orders' },
  objectives: { rpoSeconds: 5, rtoSeconds: 10 },
};

const sealed = sealManifest(manifest, keys, signingKey);
const open = (bytes: Uint8Array, change: { name?: string; repo?: string; trusted?: readonly KeyObject[] } = {}): Promise<Manifest> =>
  openManifest(
    { name: change.name ?? sealed.name, repo: change.repo ?? V.repo, bytes },
    change.trusted ?? [stranger.publicKey, publicKey],
    keysOf,
  );

async function expectRefused(attempt: Promise<unknown>, code: EngineErrorCode = 'backup-damaged', what = ''): Promise<void> {
  const outcome: unknown = await attempt.catch((error: unknown) => error);
  expect(outcome, what).to.be.instanceOf(EngineError).with.property('code', code);
}

describe('manifest', () => {
  it('comes back as it was sealed', async () => {
    expect(sealed.name).to.equal('manifests/c1/01ARYZ6S410000000000000000');
    expect(await open(sealed.bytes)).to.deep.equal(manifest);
  });

  it('keeps fields that this version does not know, at every level', () => {
    const newer: Manifest = {
      ...manifest,
      format: { major: 1, minor: 9 },
      novelty: { a: [1, null] },
      packs: [{ ...manifest.packs[0]!, tier: 'cold' }],
    };
    const bytes = encodeManifest(newer);
    expect(encodeManifest(decodeManifest(bytes)).equals(bytes)).to.equal(true);
    expect(decodeManifest(bytes)).to.deep.equal(newer);
  });

  it('of a higher major version is refused as such, whatever else it holds', () => {
    const newer = encodeCanonical({ format: { major: 2 }, unlike: 'ours' });
    expect(() => decodeManifest(newer))
      .to.throw(EngineError, 'use a newer one')
      .with.property('code', 'backup-unsupported');
  });

  it('that lacks a field or holds a wrong one is refused, and not written', () => {
    const { totals: _totals, ...without } = manifest;
    const wrong: readonly CanonicalObject[] = [
      without as CanonicalObject,
      { ...(manifest as CanonicalObject), readVersion: '18446744073709551616' },
      { ...(manifest as CanonicalObject), readVersion: '07' },
      { ...(manifest as CanonicalObject), backupId: '../../etc' },
      { ...(manifest as CanonicalObject), kid: V.keys.kid.toUpperCase() },
      { ...(manifest as CanonicalObject), format: { major: 0, minor: 0 } },
    ];
    for (const document of wrong) {
      expect(() => decodeManifest(encodeCanonical(document)))
        .to.throw(EngineError)
        .with.property('code', 'backup-damaged');
      expect(() => encodeManifest(document as Manifest))
        .to.throw(EngineError)
        .with.property('code', 'bad-request');
    }
  });

  it('with any changed bit or cut anywhere is refused', async () => {
    for (let bit = 0; bit < sealed.bytes.length * 8; bit += bit < SIGNED_HEADER_BYTES * 8 ? 1 : 7) {
      const changed = Buffer.from(sealed.bytes);
      changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
      await expectRefused(open(changed), 'backup-damaged', `bit ${bit}`);
    }
    for (let length = 0; length < sealed.bytes.length; length += 5) await expectRefused(open(sealed.bytes.subarray(0, length)));
    await expectRefused(open(Buffer.concat([sealed.bytes, Buffer.alloc(1)])));
  });

  it('under another name, in another repository, of another signer or epoch key is refused', async () => {
    await expectRefused(open(sealed.bytes, { name: 'manifests/c1/01ARYZ6S410000000000000001' }));
    await expectRefused(open(sealed.bytes, { name: 'manifests/c2/01ARYZ6S410000000000000000' }));
    await expectRefused(open(sealed.bytes, { repo: V.repo.replace('0', '1') }));
    await expectRefused(open(sealed.bytes, { trusted: [stranger.publicKey] }));
    await expectRefused(open(sealed.bytes, { trusted: [] }));
    const others = async (): Promise<EpochKeys> => deriveEpochKeys(newEpochKey());
    await expectRefused(openManifest({ name: sealed.name, repo: V.repo, bytes: sealed.bytes }, [publicKey], others));
  });
});

describe('signature', () => {
  it('is made as another implementation makes it', () => {
    expect(signerId(signingKey)).to.equal(V.signer);
    expect(signerId(publicKey)).to.equal(V.signer);
    const document = verifyDocument('config.json', signDocument('config.json', { repo: V.repo, format: 1, text: V.text }, signingKey), [
      publicKey,
    ]);
    expect(document).to.deep.equal({ repo: V.repo, format: 1, text: V.text });
    const written = encodeCanonical({ ...document, signature: { algorithm: 'Ed25519', signer: V.signer, value: V.documentSignature } });
    expect(signDocument('config.json', document, signingKey).equals(written)).to.equal(true);
    const identity = { type: 'manifest', name: 'manifests/c1/b1', repo: V.repo, kid: V.keys.kid, epoch: V.epoch } as const;
    const object = signObject(identity, Buffer.from('any body'), signingKey);
    expect(object.toString('hex')).to.equal(
      `${Buffer.from('CDR1SGN\0').toString('hex')}${V.keys.kid}0000000000000007${V.signer}${V.objectSignature}${Buffer.from('any body').toString('hex')}`,
    );
    expect(verifyObject(object, identity, [publicKey]).identity).to.deep.equal(identity);
  });

  it('of a document holds for its name and content only, and for trusted signers', () => {
    const bytes = signDocument('config.json', { format: 1 }, signingKey);
    const refused = (name: string, changed: Uint8Array, trusted: readonly KeyObject[], what: string): void => {
      expect(() => verifyDocument(name, changed, trusted), what)
        .to.throw(EngineError)
        .with.property('code', 'backup-damaged');
    };
    refused('other.json', bytes, [publicKey], 'name');
    refused('config.json', bytes, [stranger.publicKey], 'signer');
    refused('config.json', encodeCanonical({ format: 1 }), [publicKey], 'no signature');
    refused('config.json', signDocument('config.json', { format: 1 }, stranger.privateKey), [publicKey], 'a stranger');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
      refused('config.json', changed, [publicKey], `bit ${bit}`);
    }
    expect(() => signDocument('config.json', { signature: 1 }, signingKey)).to.throw(EngineError);
  });

  it('takes Ed25519 keys only', () => {
    expect(() => signerId(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)).to.throw(EngineError, 'Ed25519');
  });
});
