/** Which scenarios are played together: `default` by `./scripts/gameday`, the others with `--set`; those of `foundationdb` on that database. */
export const SETS = ['default', 'failover', 'backup', 'nightly', 'foundationdb'] as const;
export type ScenarioSet = (typeof SETS)[number];
/** How often the service may move; `ordered`: once for each order of the operator that succeeded, never before it was given, to where it said. */
export const FAILOVERS = ['none', 'one', 'at-most-one', 'ordered', 'allowed'] as const;

/** `foundationdb`: real fdbservers in every region, and a gateway to them where the embedded database would be. */
export const DATABASES = ['embedded', 'foundationdb'] as const;
export type LabDatabase = (typeof DATABASES)[number];
/** How a lab's FoundationDB replicates: copies in all three regions, or in the first two, with a satellite in the third that holds the newest log of whoever is primary (`usable_regions=2`), or a cluster in each of the first two, the one a copy of the other by fdbdr. */
export const FOUNDATIONDB_LAYOUTS = ['three_datacenter', 'two_regions', 'pair'] as const;
export type FoundationdbLayout = (typeof FOUNDATIONDB_LAYOUTS)[number];
/** What can be asked for instead of what a scenario says; `foundationdb` alone leaves it to the scenario how that replicates. */
export const ASKED_DATABASES = [...DATABASES, 'foundationdb:three_datacenter', 'foundationdb:two_regions', 'foundationdb:pair'] as const;
export type AskedDatabase = (typeof ASKED_DATABASES)[number];

/** One question about the system. Decoded from YAML by decode.ts; durations are written `500ms`, `10s`, `5m`. */
export interface Scenario {
  readonly name: string;
  readonly question: string;
  readonly sets: readonly ScenarioSet[];
  readonly platform: 'local' | 'kubernetes';
  readonly replication: 'sync' | 'async';
  readonly policy: 'lab' | 'production';
  readonly controllersPerRegion: 1 | 2;
  /** Left out: embedded. */
  readonly database?: LabDatabase;
  /** Left out: three_datacenter. */
  readonly foundationdb?: FoundationdbLayout;
  readonly seed: number | null;
  readonly workload: Workload;
  /** null, or left out: a lab without backups, which costs nothing for them. */
  readonly backup?: BackupLab | null;
  readonly steadyMs: number;
  readonly method: readonly Step[];
  /** How long the system may take after the last step to be whole again (all regions caught up). */
  readonly settleMs: number;
  readonly expect: Expectation;
  readonly targets: Targets;
}

export interface Workload {
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly goodWithinMs: number;
  /** Consecutive good operations and time that make service "sustained". */
  readonly sustained: { readonly operations: number; readonly forMs: number };
}

export type Step =
  | { readonly do: 'inject'; readonly fault: string; readonly manifest: string }
  /** The experiments are injected when an engine program logs a line with this action, and hit only the pod that logged it. */
  | { readonly do: 'arm'; readonly fault: string; readonly manifest: string; readonly at: string }
  | { readonly do: 'observe'; readonly forMs: number }
  /** Waits until every mustRecover vantage has sustained service again, at most atMostMs; goes on either way. */
  | { readonly do: 'await-recovery'; readonly atMostMs: number }
  | { readonly do: 'heal'; readonly fault: string }
  /** `coditect-dr ARGS` in the operator's pod; waits for its end. */
  | { readonly do: 'order'; readonly args: readonly string[]; readonly exits: number; readonly atMostMs: number }
  | BackupStep;

/** Where the lab's backups go and who makes them. */
export interface BackupLab {
  /** `folder`: files that every region's backups see; `bucket`: a server of its own behind the network, which faults can reach. */
  readonly store: 'folder' | 'bucket';
  /** Whether `backup-service` runs beside each database; null: backups are made by the method only. */
  readonly service: {
    readonly everyMs: number;
    readonly logMs: number;
    /** How long it waits after each step of a backup, so that a fault can come between two. */
    readonly stepPauseMs: number;
    /** How often it verifies the newest backup; null: never. */
    readonly verifyMs?: number | null;
    /** Whether it prunes after that. */
    readonly prune?: boolean;
  } | null;
  /** How long backups are kept, and then deleted without a time of grace; null: longer than any run. */
  readonly retentionMs?: number | null;
  /** How fast a backup may write; null: as fast as it can. */
  readonly bytesPerSecond: number | null;
  /** The folder is on a file system of its own of so much; null: on the machine's disk. */
  readonly storeBytes: number | null;
  /** The data folder of each database is on a file system of its own of so much; null: on the machine's disk. */
  readonly diskBytes?: number | null;
}

/** Damage is done from outside, by the harness itself; `-key` acts on the key with which backups are encrypted. */
export const OBJECT_DAMAGE = ['corrupt', 'truncate', 'remove', 'swap', 'replay', 'put-back'] as const;
export const DISK_DAMAGE = ['fill-disk', 'free-disk'] as const;
export const OTHER_DAMAGE = ['fill-store', 'free-store', 'lose-key', 'wrong-key', 'right-key', 'erase-databases', 'erase-arbiter'] as const;
export type ObjectDamage = (typeof OBJECT_DAMAGE)[number];
export type DiskDamage = (typeof DISK_DAMAGE)[number];
export type OtherDamage = (typeof OTHER_DAMAGE)[number];
/** The kinds of object of a repository (docs/backup-format.md §1) that a scenario can damage. */
export const OBJECT_KINDS = ['packs', 'index', 'manifests', 'log', 'config.json', 'keys'] as const;

export type BackupStep =
  /** `coditect-dr backup ARGS` beside the database of a region. `@NAME` in it is the id of the backup that a step `as: NAME` made. */
  | {
      readonly do: 'backup';
      readonly args: readonly string[];
      readonly name: string | null;
      readonly region: string | null;
      readonly exits: number;
      readonly atMostMs: number;
      /** Goes on while later steps happen, until it is awaited. */
      readonly background: boolean;
      /** The effect of this fault must have begun while it ran, or the run proves nothing. */
      readonly during: string | null;
      readonly namesDamage: boolean;
      /** What it says must contain this. */
      readonly says?: string | null;
    }
  /** `coditect-dr backup restore ARGS`, onto a machine of its own, or into the database of a region (`live`). */
  | {
      readonly do: 'restore';
      readonly args: readonly string[];
      readonly name: string;
      readonly region: string | null;
      readonly exits: number;
      readonly atMostMs: number;
      readonly live: boolean;
      /** With the key that no machine of the system has: for when the key service is lost. */
      readonly offlineKey: boolean;
      /** The restored copy has everything that was acknowledged before this mark. */
      readonly since: string | null;
      /** What a restore to a point in time may lack of what was acknowledged before it. */
      readonly mayLackMs: number;
      readonly namesDamage: boolean;
    }
  | { readonly do: 'await-backup'; readonly name: string; readonly atMostMs: number }
  /** Until the store has so many backups more than when the step began, so many new records of verifications that found it sound, or damaged, and has lost so many backups that it had meanwhile. */
  | {
      readonly do: 'await-backups';
      readonly more: number;
      readonly verified?: number;
      readonly damaged?: number;
      readonly gone?: number;
      readonly atMostMs: number;
    }
  /** A named instant, for restores to it. */
  | { readonly do: 'mark'; readonly name: string }
  /** Every client deletes everything that it ever wrote. */
  | { readonly do: 'delete-all'; readonly atMostMs: number }
  /** `object` (which kind) and `of` (which backup) only where an object is damaged, `region` where a database's disk is. */
  | {
      readonly do: 'damage';
      readonly how: ObjectDamage | DiskDamage | OtherDamage;
      readonly object: string | null;
      readonly of: string | null;
      readonly region?: string | null;
    }
  /** Load of a tool of its own (k6) beside the clients that measure. Goes on while later steps happen, and ends by itself. */
  | {
      readonly do: 'bulk';
      readonly name: string;
      readonly perSecond: number;
      readonly forMs: number;
      readonly valueBytes: number;
      /** Share of its requests that may fail. */
      readonly mayFail: number;
    };

export interface Expectation {
  readonly failover: (typeof FAILOVERS)[number];
  readonly outage: 'none' | 'expected' | 'allowed';
  readonly loss: 'none' | 'allowed';
  /** Vantages whose recovery the objective is judged on (worst of them). */
  readonly mustRecover: readonly string[];
}

export interface Targets {
  readonly recoveryTimeMs: number | null;
  readonly recoveryPointMs: number | null;
  readonly lostWrites: number | null;
  /** Longest time without an acknowledged write at any mustRecover vantage, over the whole run: for what is planned. */
  readonly writePauseMs: number | null;
  /** Where no outage may be: for how long answers may come too late. Null: the limit of every such scenario (measure/brown-out.ts). */
  readonly brownOutMs?: number | null;
  /** Age of the newest verified backup when the first fault took effect. */
  readonly backupAgeMs?: number | null;
  /** Of the longest restore that succeeded. */
  readonly restoreTimeMs?: number | null;
}
