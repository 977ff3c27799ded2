import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { HarnessError } from '../errors.ts';
import { OUTSIDE, type BackupGround, type Erased, type PodKey, type StoreObject } from '../platform.ts';
import { run } from '../process.ts';
import { BUCKET, KEY_FILE, newKeyFile, OFFLINE_KEYS, STORE_FOLDER, type BackupSettings } from './backup-config.ts';
import { engineConfig, MAKES_BACKUPS } from './engine-config.ts';
import { PODS_FOLDER } from './pod-view.ts';
import { POD_ROOT, type LabSettings } from './services.ts';
import { podNamed, podOf, PORTS, type PodSpec, type Topology } from './topology.ts';

export interface GroundOptions {
  readonly topology: Topology;
  readonly settings: LabSettings;
  readonly backup: BackupSettings;
  /** Of all pods, on disk. */
  readonly dataFolder: string;
}

/** What fills a disk; dots keep it from being an object's name. */
const BALLAST = '.ballast';
const BALLAST_STEP_BYTES = 64 * 1024;
/** Where nothing listens, a port for each region: a restored copy must find no other database. */
const nobody = (index: number): string => `https://127.0.0.1:${index + 1}`;

/** The store, the keys and the disks of a lab with backups, as somebody with access to the machines has them. */
export class LocalBackups implements BackupGround {
  readonly #options: GroundOptions;
  #copies = 0;
  readonly #mounted = new Set<string>();

  constructor(options: GroundOptions) {
    this.#options = options;
  }

  /** Before any pod: makes the folder that the store is in. */
  async start(): Promise<void> {
    const { backup, topology } = this.#options;
    await mkdir(this.#root, { recursive: true });
    if (backup.storeBytes !== null) await this.#mount(this.#root, backup.storeBytes);
    if (backup.diskBytes == null) return;
    for (const region of topology.regions) await this.#mount(this.#diskOf(podOf(topology, 'db', region)), backup.diskBytes);
  }

  async close(): Promise<void> {
    for (const folder of this.#mounted) await run('umount', [folder]);
    this.#mounted.clear();
  }

  /** A file system of its own: what fills it takes nothing from this machine's disk. */
  async #mount(folder: string, bytes: number): Promise<void> {
    await mkdir(folder, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0755`, 'tmpfs', folder]);
    this.#mounted.add(folder);
  }

  /** The folder that this pod shares with others, for its view; undefined where it has none. */
  sharedWith({ app }: PodSpec): { readonly folder: string; readonly at: string } | undefined {
    return this.#options.backup.store === 'folder' && MAKES_BACKUPS.includes(app) ? { folder: this.#root, at: STORE_FOLDER } : undefined;
  }

  async objects(): Promise<readonly StoreObject[]> {
    const entries = await readdir(this.#root, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const objects = await Promise.all(
      files.map(async (entry) => {
        const file = path.join(entry.parentPath, entry.name);
        const found = await stat(file).catch(() => null); // it was removed while we looked
        // Of the inode: a file that was renamed to its name came to lie there only then.
        const writtenWallMs = found?.ctimeMs ?? 0;
        return found === null ? [] : [{ name: nameOf(path.relative(this.#root, file)), bytes: found.size, writtenWallMs }];
      }),
    );
    return objects
      .flat()
      .filter(({ name }) => !name.startsWith('.'))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  read(name: string): Promise<Buffer> {
    return readFile(this.#file(name));
  }

  overwrite(name: string, body: Uint8Array): Promise<void> {
    return writeFile(this.#file(name), body);
  }

  remove(name: string): Promise<void> {
    return rm(this.#file(name));
  }

  fill(): Promise<number> {
    return this.#fill(this.#root);
  }

  free(): Promise<number> {
    return this.#free(this.#root);
  }

  fillDisk(region: string): Promise<number> {
    return this.#fill(this.#diskOf(podOf(this.#options.topology, 'db', region)));
  }

  freeDisk(region: string): Promise<number> {
    return this.#free(this.#diskOf(podOf(this.#options.topology, 'db', region)));
  }

  async #fill(folder: string): Promise<number> {
    if (!this.#mounted.has(folder))
      throw new HarnessError(
        'unsupported',
        `${folder} has no disk of its own (\`storeSize\`, \`diskSize\`): that of this machine would be filled`,
      );
    const step = Buffer.alloc(BALLAST_STEP_BYTES);
    const file = await open(path.join(folder, BALLAST), 'a');
    try {
      // To the last page: each write that does not fit is halved.
      for (let bytes = step.length; bytes >= 1;) {
        const wrote = await file.write(step, 0, bytes).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOSPC') throw error;
          return null;
        });
        if (wrote === null) bytes = Math.floor(bytes / 2);
      }
    } finally {
      await file.close();
    }
    return await freeBytes(folder);
  }

  async #free(folder: string): Promise<number> {
    await rm(path.join(folder, BALLAST), { force: true });
    return await freeBytes(folder);
  }

  async keys(): Promise<readonly PodKey[]> {
    return await Promise.all(
      this.#keyFiles().map(async ({ pod, file }) => {
        const now = await readFile(file).catch(() => null);
        return { pod, digest: now === null ? null : createHash('sha256').update(now).digest('hex').slice(0, 16) };
      }),
    );
  }

  async changeKey(to: 'right' | 'wrong' | 'none'): Promise<readonly PodKey[]> {
    const text = to === 'none' ? null : to === 'wrong' ? newKeyFile() : (this.#options.settings.backupKeys?.keyFile ?? null);
    for (const { file } of this.#keyFiles()) {
      if (text === null) await rm(file, { force: true });
      else await writeFile(file, text, { mode: 0o600 });
    }
    return await this.keys();
  }

  async erase(pods: readonly string[]): Promise<readonly Erased[]> {
    return await Promise.all(
      pods.map(async (name) => {
        const folder = this.#diskOf(podNamed(this.#options.topology, name));
        const before = await filesIn(folder);
        await Promise.all((await readdir(folder)).map((entry) => rm(path.join(folder, entry), { recursive: true, force: true })));
        const bytesBefore = before.reduce((sum, { bytes }) => sum + bytes, 0);
        return { pod: name, filesBefore: before.length, bytesBefore, filesAfter: (await filesIn(folder)).length };
      }),
    );
  }

  async newCopy(
    name: string,
    offlineKey: boolean,
  ): Promise<{ readonly pod: string; readonly config: string; readonly region: string; readonly url: string }> {
    const { topology, settings } = this.#options;
    const pod = podOf(topology, 'restore', OUTSIDE);
    const port = PORTS.restored + this.#copies++;
    // Embedded, whatever was backed up: a copy of its own, read as any other, and the cluster is not locked for it.
    const plain = engineConfig(topology, pod, { ...settings, foundationdb: null });
    const regions = Object.fromEntries(
      topology.regions.map((region, index) => {
        const url = nobody(index);
        return [region, { api: url, database: url, controller: url, addresses: ['127.0.0.1'] }];
      }),
    );
    const config = {
      ...plain,
      listen: { host: pod.ipv4, port },
      regions,
      arbiter: { ...(plain['arbiter'] as object), prefix: `/restored-${name}/` },
      data: { path: `data/${name}` },
      ...(offlineKey ? { backup: { ...(plain['backup'] as object), keys: OFFLINE_KEYS } } : {}),
    };
    const file = `restored-${name}.yaml`;
    await writeFile(path.join(PODS_FOLDER, pod.name, file), stringify(config));
    return {
      pod: pod.name,
      config: `${POD_ROOT}/${file}`,
      region: topology.primaryRegion,
      url: `https://${pod.ipv4}:${port}`,
    };
  }

  #keyFiles(): readonly { readonly pod: string; readonly file: string }[] {
    const pods = this.#options.topology.pods.filter((pod) => MAKES_BACKUPS.includes(pod.app));
    return pods.map(({ name }) => ({ pod: name, file: path.join(PODS_FOLDER, name, KEY_FILE) }));
  }

  /** As the runner sees it. */
  get #root(): string {
    const { dataFolder, backup } = this.#options;
    return backup.store === 'folder' ? path.join(dataFolder, STORE_FOLDER) : path.join(dataFolder, 'store', 'objects', BUCKET);
  }

  #file(name: string): string {
    const file = path.join(this.#root, ...name.split('/'));
    if (!file.startsWith(`${this.#root}${path.sep}`)) throw new HarnessError('internal', `${name} is no object's name`);
    return file;
  }

  /** The arbiter's member has its data on the pod's own tmpfs. */
  #diskOf({ app, name }: PodSpec): string {
    return app === 'etcd' ? path.join(PODS_FOLDER, name, 'etcd') : path.join(this.#options.dataFolder, name);
  }
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

const nameOf = (relative: string): string => relative.split(path.sep).join('/');

async function filesIn(folder: string): Promise<readonly { readonly bytes: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  return await Promise.all(files.map(async (entry) => ({ bytes: (await stat(path.join(entry.parentPath, entry.name))).size })));
}
