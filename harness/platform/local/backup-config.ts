import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { BackupLab } from '../../scenario/scenario.ts';
import { PORTS, podOf, type App, type PodSpec, type Topology } from './topology.ts';

export type BackupSettings = BackupLab;

/** Where pods with a folder as store see it, below their own. */
export const STORE_FOLDER = 'store';
export const BUCKET = 'backups';
/** Of every cluster's backups in one store; the lab has one. */
export const CLUSTER = 'lab';
export const KEY_FILE = 'secrets/backup-key';
const OFFLINE_KEY_FILE = 'secrets/offline-key';
/** What `backup.keys` says where only the offline key is left. */
export const OFFLINE_KEYS = { kind: 'x25519-file', path: OFFLINE_KEY_FILE } as const;
const SIGNING_FILE = 'secrets/backup-signing.pem';

/** Secrets of a lab's backups, the same in all regions, so that each can open what another made. */
export interface BackupKeys {
  /** As docs/backup-format.md §2 describes the file. */
  readonly keyFile: string;
  readonly signingPem: string;
  /** The key that is kept where no network reaches it, and the recipient that every backup key is wrapped to as well. */
  readonly offlineKeyFile: string;
  readonly recipient: string;
}

export function newBackupKeys(): BackupKeys {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { keyFile: newKeyFile(), signingPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), ...newOfflineKey() };
}

/** As docs/backup-format.md §2 has both; raw X25519 keys are the last 32 bytes of their DER (RFC 8410). */
function newOfflineKey(): Pick<BackupKeys, 'offlineKeyFile' | 'recipient'> {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const raw = (der: Buffer): Buffer => der.subarray(-32);
  const shown = raw(publicKey.export({ type: 'spki', format: 'der' }));
  const check = createHash('sha256').update('cdr1/recipient\0').update(shown).digest('hex').slice(0, 8);
  return {
    offlineKeyFile: `cdr1-offline-key ${raw(privateKey.export({ type: 'pkcs8', format: 'der' })).toString('base64')}\n`,
    recipient: `x25519:${shown.toString('hex')}:${check}`,
  };
}

export function newKeyFile(): string {
  return `cdr1-local-key ${randomBytes(32).toString('base64')}\n`;
}

/** The offline key is on the machine for restores only. */
export function backupKeyFiles(
  keys: BackupKeys,
  app: App,
): readonly { readonly path: string; readonly text: string; readonly secret: true }[] {
  return [
    { path: KEY_FILE, text: keys.keyFile, secret: true },
    { path: SIGNING_FILE, text: keys.signingPem, secret: true },
    ...(app === 'restore' ? [{ path: OFFLINE_KEY_FILE, text: keys.offlineKeyFile, secret: true as const }] : []),
  ];
}

/** Small packs, so that little data is many objects; one worker thread, since the lab's machine has other work. Pure. */
export function backupSection(
  topology: Topology,
  settings: BackupSettings,
  recipient: string | undefined,
): Readonly<Record<string, unknown>> {
  return {
    cluster: { id: CLUSTER, description: 'a lab' },
    store: storeSection(topology, settings),
    keys: { kind: 'local-file', path: KEY_FILE },
    ...(recipient === undefined ? {} : { recipients: [recipient] }),
    signing: { key_file: SIGNING_FILE },
    interval_seconds: (settings.service?.everyMs ?? 3_600_000) / 1000,
    jitter_seconds: 0,
    log_seconds: (settings.service?.logMs ?? 1000) / 1000,
    ...(settings.service?.stepPauseMs ? { step_pause_seconds: settings.service.stepPauseMs / 1000 } : {}),
    verify_seconds: settings.service?.verifyMs == null ? null : settings.service.verifyMs / 1000,
    prune: settings.service?.prune ?? false,
    ...(settings.retentionMs == null ? {} : { grace_hours: 0 }),
    minimum_backups: 1,
    workers: 1,
    pack_bytes: 64 * 1024,
    ...(settings.bytesPerSecond === null ? {} : { limit_bytes_per_second: settings.bytesPerSecond }),
  };
}

function storeSection(topology: Topology, { store }: BackupSettings): Readonly<Record<string, unknown>> {
  return store === 'folder'
    ? { kind: 'folder', path: STORE_FOLDER }
    : {
        kind: 'gcs',
        bucket: BUCKET,
        project: 'lab',
        endpoint: `http://${podOf(topology, 'store', 'outside').ipv4}:${PORTS.store}`,
        timeout_seconds: 3,
      };
}

/** The command of a server that speaks Cloud Storage's protocol and keeps objects as files in `dataFolder`. Pure. */
export function storeCommand({ ipv4 }: PodSpec, program: string, dataFolder: string): readonly [string, ...string[]] {
  const address = `${ipv4}:${PORTS.store}`;
  const flags = {
    scheme: 'http',
    host: ipv4,
    port: String(PORTS.store),
    backend: 'filesystem',
    'filesystem-root': `${dataFolder}/objects`,
    'external-url': `http://${address}`,
    'public-host': address,
  };
  return [program, ...Object.entries(flags).flatMap(([name, value]) => [`-${name}`, value])];
}
