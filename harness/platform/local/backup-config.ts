import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { BackupLab } from '../../scenario/scenario.ts';
import { PORTS, podOf, type PodSpec, type Topology } from './topology.ts';

export type BackupSettings = BackupLab;

/** Where pods with a folder as store see it, below their own. */
export const STORE_FOLDER = 'store';
export const BUCKET = 'backups';
/** Of every cluster's backups in one store; the lab has one. */
export const CLUSTER = 'lab';
export const KEY_FILE = 'secrets/backup-key';
const SIGNING_FILE = 'secrets/backup-signing.pem';

/** Secrets of a lab's backups, the same in all regions, so that each can open what another made. */
export interface BackupKeys {
  /** As docs/backup-format.md §2 describes the file. */
  readonly keyFile: string;
  readonly signingPem: string;
}

export function newBackupKeys(): BackupKeys {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { keyFile: newKeyFile(), signingPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

export function newKeyFile(): string {
  return `cdr1-local-key ${randomBytes(32).toString('base64')}\n`;
}

export function backupKeyFiles(keys: BackupKeys): readonly { readonly path: string; readonly text: string; readonly secret: true }[] {
  return [
    { path: KEY_FILE, text: keys.keyFile, secret: true },
    { path: SIGNING_FILE, text: keys.signingPem, secret: true },
  ];
}

/** Small packs, so that little data is many objects; one worker thread, since the lab's machine has other work. Pure. */
export function backupSection(topology: Topology, settings: BackupSettings): Readonly<Record<string, unknown>> {
  return {
    cluster: { id: CLUSTER, description: 'a lab' },
    store: storeSection(topology, settings),
    keys: { kind: 'local-file', path: KEY_FILE },
    signing: { key_file: SIGNING_FILE },
    interval_seconds: (settings.service?.everyMs ?? 3_600_000) / 1000,
    jitter_seconds: 0,
    log_seconds: (settings.service?.logMs ?? 1000) / 1000,
    ...(settings.service?.stepPauseMs ? { step_pause_seconds: settings.service.stepPauseMs / 1000 } : {}),
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
