import type { Manifest } from '../format/manifest.ts';
import type { BackupFile } from '../repository/file-list.ts';
import type { Repository } from '../repository/repository.ts';
import type { StoredLists } from './lists.ts';
import type { PinnedSource } from './source.ts';

/** What a manifest says beside what the run found out. */
export interface BackupFacts {
  readonly cluster: { readonly id: string; readonly description: string };
  readonly region: string;
  readonly configDigest: string;
  readonly retentionDays: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly objectives: { readonly rpoSeconds: number; readonly rtoSeconds: number };
  readonly toolVersion: string;
  readonly log: { readonly stream: string; readonly head: string } | null;
}

interface RunFacts {
  readonly id: string;
  readonly parent: Manifest | null;
  /** One more than that of any backup that the writer saw. */
  readonly order: number;
  readonly pinned: Pick<PinnedSource, 'identity' | 'database' | 'tail'>;
  readonly files: readonly BackupFile[];
  readonly lists: StoredLists;
  readonly root: string;
  readonly refs: Pick<Manifest, 'packs' | 'index'>;
  readonly created: Date;
}

const DAY_MS = 86_400_000;

type Options = BackupFacts & {
  readonly repository: Repository;
  readonly level: number | null;
  readonly lease: { readonly epoch: string; readonly holder: string };
};

export function manifestOf(options: Options, run: RunFacts): Manifest {
  const { repository, cluster, level, lease } = options;
  const { id, parent, order, pinned, files, lists, root, refs, created } = run;
  const { identity, tail } = pinned;
  const version = identity.end.index.toString();
  const records = files.reduce((sum, file) => sum + file.records, 0);
  return {
    format: { major: 1, minor: 0 },
    backupId: id,
    repo: repository.repo,
    cluster,
    database: { ...pinned.database, region: options.region },
    kind: parent === null ? 'full' : 'incremental',
    consistency: 'exact',
    beginVersion: version,
    endVersion: version,
    readVersion: version,
    clock: [{ version, wall: created.toISOString() }],
    generation: identity.end.epoch.toString(),
    epochs: identity.epochs.map(([epoch, first]) => ({ epoch: epoch.toString(), first: first.toString() })),
    ...(tail === null ? {} : { tail: { first: tail.first.toString(), hash: tail.hash } }),
    ranges: [{ begin: '', end: null, files: files.length, records, lists: [...lists.lists], edges: [...lists.edges], root }],
    packs: [...refs.packs],
    index: [...refs.index],
    totals: {
      records,
      plainBytes: files.reduce((sum, file) => sum + file.bytes, 0),
      storedBytes: [...refs.packs, ...refs.index].reduce((sum, { bytes }) => sum + bytes, 0),
    },
    codecs: {
      compression: level === null ? 'none' : `zstd:${level}`,
      chunker: 'key-hash-256k',
      implementation: { node: process.version, zstd: process.versions.zstd ?? '' },
    },
    kid: repository.keys.kid,
    epoch: repository.epoch.toString(),
    lease: { epoch: lease.epoch, holder: lease.holder, order },
    parent: parent?.backupId ?? null,
    log: options.log,
    tool: { name: 'coditect-dr', version: options.toolVersion },
    configDigest: options.configDigest,
    created: created.toISOString(),
    retainUntil: new Date(created.getTime() + options.retentionDays * DAY_MS).toISOString(),
    legalHold: false,
    labels: options.labels,
    objectives: { rpoSeconds: Math.round(options.objectives.rpoSeconds), rtoSeconds: Math.round(options.objectives.rtoSeconds) },
  };
}
