import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { backupCommandConfig } from '../backup-command-config.ts';
import type { Dataset } from './dataset.ts';

export const OPERATIONS = ['backup', 'unchanged', 'changed', 'verify', 'restore'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Where a contender works in one round: `store` and `target` are its own, empty at the beginning of the round. */
export interface Place {
  readonly dataset: Dataset;
  readonly folder: string;
  readonly store: string;
  /** What `restore` fills; emptied before. */
  readonly target: string;
}

/** A way to back up; scripts of bash. `changed` is the backup after the data changed, `verify` reads all that is stored, `restore` brings back the newest. */
export interface Contender {
  readonly name: string;
  readonly says: string;
  readonly env: (place: Place) => Readonly<Record<string, string>>;
  /** Not measured. */
  readonly prepare: (place: Place) => string;
  /** Not measured either: after the data changed. */
  readonly refresh?: (place: Place) => string;
  readonly script: (operation: Operation, place: Place) => string;
}

const MAIN = resolve(import.meta.dirname, '../../main.js');
const OURS = `'${process.execPath}' '${MAIN}' backup`;

const ours: Contender = {
  name: 'ours',
  says: 'coditect-dr backup, defaults (2 threads, zstd 1, 16 MiB packs); restore compares both ways',
  env: () => ({}),
  prepare: ({ dataset, folder, store, target }) => {
    mkdirSync(folder, { recursive: true });
    const config = (data: string): string => JSON.stringify(backupCommandConfig('bench', data, { store: { kind: 'folder', path: store } }));
    writeFileSync(join(folder, 'config.yaml'), config(join(dataset.databaseFolder, '..')));
    writeFileSync(join(folder, 'target.yaml'), config(target));
    return `${OURS} init --config '${folder}/config.yaml'`;
  },
  script: (operation, { folder }) => {
    const create = `${OURS} create --no-lease --json --config '${folder}/config.yaml'`;
    return {
      backup: create,
      unchanged: create,
      changed: create,
      verify: `${OURS} verify latest --level 3 --json --config '${folder}/config.yaml'`,
      restore: `${OURS} restore latest --into us-east1 --json --config '${folder}/target.yaml'`,
    }[operation];
  },
};

function restic(name: string, compression: string, fromStdin: boolean): Contender {
  return {
    name,
    says: `restic, compression ${compression}, ${fromStdin ? 'one stream' : 'a folder of files'}`,
    env: ({ folder, store }) => ({ RESTIC_PASSWORD: 'bench', RESTIC_REPOSITORY: store, RESTIC_CACHE_DIR: `${folder}/cache` }),
    prepare: () => 'restic init -q --repository-version 2',
    script: (operation, { dataset, target }) => {
      const source = fromStdin
        ? `cat '${dataset.filesFolder}'/* | restic --compression ${compression} backup -q --stdin`
        : `cd '${dataset.filesFolder}' && restic --compression ${compression} backup -q .`;
      return {
        backup: source,
        unchanged: source,
        changed: source,
        verify: 'restic check -q --read-data',
        restore: `restic restore -q latest --target '${target}'`,
      }[operation];
    },
  };
}

function borg(name: string, compression: string, fromStdin: boolean): Contender {
  return {
    name,
    says: `borg, repokey, compression ${compression}, ${fromStdin ? 'one stream' : 'a folder of files'}`,
    env: ({ folder, store }) => ({ BORG_PASSPHRASE: 'bench', BORG_BASE_DIR: `${folder}/borg`, BORG_REPO: store }),
    prepare: ({ folder }) => `mkdir -p '${folder}' && borg init -e repokey`,
    script: (operation, { dataset, target }) => {
      const create = (archive: string): string =>
        fromStdin
          ? `cat '${dataset.filesFolder}'/* | borg create -C ${compression} ::${archive} -`
          : `cd '${dataset.filesFolder}' && borg create -C ${compression} ::${archive} .`;
      return {
        backup: create('backup'),
        unchanged: create('unchanged'),
        changed: create('changed'),
        verify: 'borg check --verify-data',
        restore: `mkdir -p '${target}' && cd '${target}' && borg extract ::changed`,
      }[operation];
    },
  };
}

/** LMDB's own tools; they do not read the format of the binding that the engine uses, so they have the records in a database of theirs. */
function dump(name: string, encrypt: string, decrypt: string): Contender {
  return {
    name,
    says: `mdb_dump, zstd -1 and ${encrypt.split(' ')[0]} in a pipe`,
    env: () => ({ BENCH_PASSWORD: 'bench' }),
    prepare: ({ dataset, folder, store }) =>
      `mkdir -p '${folder}' '${store}' && (age-keygen -o '${folder}/age.key' || true) && ${loadStock(dataset, `${folder}/stock`)}`,
    refresh: ({ dataset, folder }) => loadStock(dataset, `${folder}/stock`),
    script: (operation, { folder, store, target }) => {
      const save = `mdb_dump -p '${folder}/stock' | zstd -q -1 | ${encrypt.replaceAll('FOLDER', folder)} > '${store}/${operation}'`;
      const open = `${decrypt.replaceAll('FOLDER', folder)} < '${store}/changed' | zstd -q -d`;
      return {
        backup: save,
        unchanged: save,
        changed: save,
        verify: `${open} > /dev/null`,
        restore: `mkdir -p '${target}' && ${open} | mdb_load '${target}'`,
      }[operation];
    },
  };
}

function loadStock({ filesFolder, bytes }: Dataset, folder: string): string {
  const head = `VERSION=3\\nformat=print\\ntype=btree\\nmapsize=${bytes * 3}\\nHEADER=END\\n`;
  return `rm -rf '${folder}' && mkdir -p '${folder}' && { printf '${head}'; cat '${filesFolder}'/* | tr '\\t' '\\n' | sed 's/^/ /'; echo DATA=END; } | mdb_load '${folder}'`;
}

export interface Choice {
  readonly contenders: readonly Contender[];
  readonly versions: Readonly<Record<string, string>>;
  /** What could not be had, and how to get it. */
  readonly missing: readonly string[];
}

/** The contenders that this machine has the programs for. @param only names; null: all */
export function choose(only: readonly string[] | null): Choice {
  const versions: Record<string, string> = { node: process.version };
  const missing: string[] = [];
  const contenders = [ours];
  const resticVersion = versionOf('restic', ['version']);
  if (resticVersion === null) missing.push('restic: apt-get install restic, or go install github.com/restic/restic/cmd/restic@v0.18.1');
  else {
    versions['restic'] = resticVersion;
    contenders.push(restic('restic', 'auto', false), restic('restic-stdin', 'auto', true));
    if (/fastest/.test(versionOf('restic', ['backup', '--help']) ?? '')) contenders.push(restic('restic-fastest', 'fastest', false));
  }
  const borgVersion = versionOf('borg', ['--version']);
  if (borgVersion === null) missing.push('borg: apt-get install borgbackup');
  else {
    versions['borg'] = borgVersion;
    contenders.push(borg('borg', 'lz4', false), borg('borg-zstd1', 'zstd,1', false), borg('borg-stdin', 'lz4', true));
  }
  const dumpVersion = versionOf('mdb_dump', ['-V']);
  if (dumpVersion === null) missing.push('mdb_dump: apt-get install lmdb-utils');
  else {
    versions['mdb_dump'] = dumpVersion;
    const key = '-pbkdf2 -pass env:BENCH_PASSWORD';
    contenders.push(dump('dump-openssl', `openssl enc -aes-256-ctr ${key}`, `openssl enc -d -aes-256-ctr ${key}`));
    if (versionOf('age', ['--version']) === null) missing.push('age: apt-get install age');
    else contenders.push(dump('dump-age', `age -e -i FOLDER/age.key`, `age -d -i FOLDER/age.key`));
  }
  if (versionOf('kopia', ['--version']) === null) missing.push('kopia: not in Debian and not on the Go proxy; it is not measured');
  const unknown = only?.filter((name) => name !== 'limit' && !contenders.some((contender) => contender.name === name)) ?? [];
  if (unknown.length > 0)
    throw new Error(`--only ${unknown.join(',')}: there is ${contenders.map(({ name }) => name).join(', ')}, limit; ${missing.join('; ')}`);
  return { contenders: contenders.filter(({ name }) => only === null || only.includes(name)), versions, missing };
}

function versionOf(program: string, words: readonly string[]): string | null {
  try {
    return execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}
