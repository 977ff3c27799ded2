import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { openKeyService, openObjectStore, type BackupContext } from '../../adapters.ts';
import { createLocalKeyFile } from '../../keys/local-key-file.ts';
import { openRecipient } from '../../keys/offline-key.ts';
import { limitBytesInFlight } from '../../objectstore/limit.ts';
import { limitRate } from '../../objectstore/rate.ts';
import { withRetry } from '../../objectstore/retry.ts';
import { EngineError } from '../../platform/errors.ts';
import { ownIdentity, whoElseMayRead } from '../../platform/secret-file.ts';
import { syncFolder } from '../../platform/sync-folder.ts';
import { signerId } from '../format/signing.ts';
import type { RepositoryAccess } from './repository.ts';

const RETRY = { attempts: 6, firstDelayMs: 100, maxDelayMs: 5_000 };

/** Store, key service and signing keys as they are configured, with retries and limits around the store. */
export async function openAccess(context: BackupContext): Promise<RepositoryAccess> {
  const { backup, folder, clock } = context;
  const plain = withRetry(await openObjectStore(context), RETRY, clock, Math.random);
  const limited = limitBytesInFlight(plain, backup.in_flight_bytes);
  const rate = backup.limit_bytes_per_second;
  const store = rate === null ? limited : limitRate(limited, rate, clock);
  const { key_file: keyFile, trusted_files: trustedFiles } = backup.signing;
  const signingKey = keyFile === undefined ? null : readSigningKey(resolve(folder, keyFile));
  const trusted = trustedFiles.map((file) => readTrusted(resolve(folder, file)));
  if (signingKey !== null) trusted.push(createPublicKey(signingKey));
  if (trusted.length === 0)
    throw new EngineError('bad-config', 'backup.signing: name a key_file to sign with, or trusted_files to check signatures with');
  const recipients = backup.recipients.map(openRecipient);
  return { store, service: await openKeyService(context), recipients, signingKey, trusted };
}

/** Makes what is configured as a file of this machine and is not there yet; returns the paths. */
export async function makeMissingKeys({ backup, folder }: BackupContext): Promise<readonly string[]> {
  const made: string[] = [];
  if (backup.keys.kind === 'local-file' && !existsSync(resolve(folder, backup.keys.path))) {
    await createLocalKeyFile(resolve(folder, backup.keys.path));
    made.push(resolve(folder, backup.keys.path));
  }
  const { key_file: keyFile } = backup.signing;
  if (keyFile !== undefined && !existsSync(resolve(folder, keyFile))) {
    const path = resolve(folder, keyFile);
    const { privateKey } = generateKeyPairSync('ed25519');
    try {
      writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx', flush: true });
      syncFolder(dirname(path));
    } catch (cause) {
      throw new EngineError('bad-config', `backup.signing.key_file: cannot make ${path}`, cause);
    }
    made.push(path);
  }
  return made;
}

function readSigningKey(path: string): KeyObject {
  try {
    const problem = whoElseMayRead(statSync(path), ownIdentity());
    if (problem !== null) throw new EngineError('bad-config', `the signing key ${path} has ${problem}`);
    const key = createPrivateKey(readFileSync(path));
    signerId(key);
    return key;
  } catch (cause) {
    const hint = existsSync(path) ? '' : '; `coditect-dr backup init` makes one, for a repository that is new';
    throw cause instanceof EngineError
      ? cause
      : new EngineError('bad-config', `backup.signing.key_file: no Ed25519 key in ${path}${hint}`, cause);
  }
}

function readTrusted(path: string): KeyObject {
  try {
    const key = createPublicKey(readFileSync(path));
    signerId(key);
    return key;
  } catch (cause) {
    throw cause instanceof EngineError
      ? cause
      : new EngineError('bad-config', `backup.signing.trusted_files: no Ed25519 key in ${path}`, cause);
  }
}
