import type { LedgerTemplates } from '../workload/dialect/template-shape.ts';
import type { Beacon, ClockReading, EventBody, PodProcess, ReachabilityCell } from '../history/event.ts';

/** The region of pods, and the name of a client, that are in none. */
export const OUTSIDE = 'outside';

/** Where a service of somebody's own answers from: which of its parts did is not known. */
export const ONE_SERVICE = 'service';

/** A service with another API than the engine's: nothing but its ledger can be asked. */
export interface OwnService {
  /** Base URL that each client uses, by the region in which it counts, or `outside`. */
  readonly clients: Readonly<Record<string, string>>;
  readonly ledger: LedgerTemplates;
  /** Of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Absolute paths; authorities that are left out: those of the system. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** A labelled process (local) or a Kubernetes pod. What Chaos Mesh selectors see. */
export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly region: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly node: string;
  readonly phase: 'Pending' | 'Running' | 'Failed';
  readonly containers: readonly string[];
  readonly addresses: readonly string[];
}

/** Primitive acts that fault kinds plan (pure) and a platform performs. Each is idempotent and has an undo. */
export type Primitive =
  /** Cut one-way traffic, IPv4 and IPv6, from each `from` pod to each `to` pod. All cuts of a plan take hold in one commit. */
  | { readonly act: 'cut'; readonly from: readonly string[]; readonly to: readonly string[] }
  /** Cut one-way traffic between pods and a CIDR (`10.0.0.0/8`, `::/0`), optionally one port. */
  | {
      readonly act: 'cut-external';
      readonly pods: readonly string[];
      readonly cidr: string;
      readonly port?: number;
      readonly direction: 'to' | 'from';
    }
  /** This share of what each `from` pod sends to each `to` pod is lost, IPv4 and IPv6, each packet for itself. */
  | { readonly act: 'lose'; readonly from: readonly string[]; readonly to: readonly string[]; readonly share: number }
  /** SIGTERM, after graceMs SIGKILL of the whole pod; a new pod of the same name follows after the replacement delay. */
  | { readonly act: 'pod-kill'; readonly pods: readonly string[]; readonly graceMs: number }
  /** Kill the pod's processes and keep them from starting until healed. */
  | { readonly act: 'pod-hold'; readonly pods: readonly string[] }
  /** SIGKILL one container; the restart policy brings it back. */
  | { readonly act: 'container-kill'; readonly pods: readonly string[]; readonly containers: readonly string[] }
  /** The pods' programs stand still for this share of each period (1: all the time) until healed. */
  | { readonly act: 'freeze'; readonly pods: readonly string[]; readonly share: number; readonly periodMs: number }
  /** The wall clock of the pods' programs is off by so much until healed. */
  | { readonly act: 'move-clock'; readonly pods: readonly string[]; readonly offsetMs: number };

/** One experiment of a fault, selected and planned: what a platform needs that is given manifests rather than acts. */
export interface Experiment {
  /** What it is called in the record. */
  readonly fault: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly mode: string;
  /** The manifest's document as it was written. */
  readonly document: unknown;
  /** The harness knows whom it hits and nothing of what it does: the cluster is asked beforehand whether it would take it. */
  readonly opaque: boolean;
  /** Names of the pods that it must act on, and no others. */
  readonly sources: readonly string[];
  readonly targets: readonly string[];
  /** Of these pods. */
  readonly namespaceOf: Readonly<Record<string, string>>;
  /** Only one of the pods that the manifest selects is to be hit: the one that set it off. */
  readonly narrowed: boolean;
}

export interface Injection {
  /** Performs all primitives; resolves when the platform acknowledged. requestedMs/acknowledgedMs are on the run clock. */
  apply(signal: AbortSignal): Promise<{ readonly requestedMs: number; readonly acknowledgedMs: number }>;
  /** Undoes them. Idempotent; never throws because there is nothing to undo. */
  heal(signal: AbortSignal): Promise<{ readonly requestedMs: number; readonly acknowledgedMs: number }>;
}

export interface LinkWatch {
  /** How often a datagram is due on each link: what was asked for, or what those who send already keep to. */
  readonly periodMs: number;
  /** Resolves when the first datagram of every link that counts has been sent: what changes from then on is seen. */
  readonly started: Promise<void>;
  /** Ends the watch; idempotent. */
  stop(): Promise<readonly Beacon[]>;
}

/** The system under test and the hands of the harness on it. */
export interface Platform {
  readonly kind: 'local' | 'kubernetes' | 'addresses';
  /** true, or the reason why this primitive cannot be done here. Asked before anything starts. */
  supports(primitive: Primitive): true | string;
  /** Starts everything and resolves when the engine serves; bounded by the signal. */
  start(signal: AbortSignal): Promise<void>;
  pods(): readonly Pod[];
  /** owner of the fault's state until healed; close() heals what is left. */
  injection(primitives: readonly Primitive[], experiments: readonly Experiment[]): Injection;
  /** One sweep of one-way datagrams over all pairs of the given pods, v4 and v6. */
  reachability(pods: readonly string[], signal: AbortSignal): Promise<readonly ReachabilityCell[]>;
  /**
   * Steady datagrams on these directed pairs from now until stop(), one each a period: when exactly did a link change. `onlyAfter`: what may have been sent before this call does not count,
   * where that is not known to the instant; else what lies around it is told as well.
   */
  watchLinks(pairs: readonly { readonly from: string; readonly to: string }[], periodMs: number, onlyAfter?: 'onlyAfter'): LinkWatch;
  /** What runs in these pods now, by the kernel's process table. */
  processes(pods: readonly string[]): Promise<readonly PodProcess[]>;
  /** How far the wall clocks of these pods' programs are from ours, as they say themselves. */
  clocks(pods: readonly string[]): Promise<readonly ClockReading[]>;
  /** Every address, IPv4 and IPv6, that the platform's DNS gives for a host name; empty when it does not resolve. */
  resolve(hostName: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Starts a program inside a pod's namespace (vantages); stdin/stdout are NDJSON pipes that no fault touches. */
  runInPod(pod: string, program: string, args: readonly string[]): PodProgram;
  /** A service with an API of its own, which clients measure from this machine; undefined: the engine's contract, from the pods labelled `client`. */
  readonly ownService?: OwnService | undefined;
  /** Where the service is to be in peace; undefined where only the system itself knows. */
  readonly primaryRegion?: string;
  /** The backups of this system; undefined where it has none. */
  readonly backups?: BackupGround | undefined;
  /** What keeps the database's own copies from being whole, as it says to whoever asks it past the engine; null: nothing. `serving`: the region that says it serves, whose database is to be the one that takes writes. Undefined where the platform cannot ask it. */
  databaseProblem?(signal: AbortSignal, serving?: string): Promise<string | null>;
  /** All data of the system as its database tells it to whoever asks it past the engine; null: the engine's own database is the only way. Throws HarnessError. */
  databaseContent?(signal: AbortSignal): Promise<ReadonlyMap<string, string> | null>;
  /** Makes the database anew where its servers are there and have none, as whoever runs it does before a restore; undefined where a restore makes it. Throws HarnessError `lab-failed`. */
  newDatabase?(signal: AbortSignal): Promise<void>;
  /** Stops everything; returns what could not be cleaned (empty is clean). Idempotent. */
  close(): Promise<readonly string[]>;
}

/** An object of the backup store as it lies there. */
export interface StoreObject {
  readonly name: string;
  readonly bytes: number;
  /** When it came to lie there under this name, as the file system has it. */
  readonly writtenWallMs: number;
}

/** What somebody who was at the disks may do to backups and databases. No fault keeps it from the store: it is no client of it. */
export interface BackupGround {
  /** Every object, in the order of the names. */
  objects(): Promise<readonly StoreObject[]>;
  read(name: string): Promise<Buffer>;
  /** In place of what was there. */
  overwrite(name: string, body: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
  /** Takes all space that is left in the store's file system, or gives it back. Returns how much is left. */
  fill(): Promise<number>;
  free(): Promise<number>;
  /** Takes all space that is left on the disk of a region's database, or gives it back. Returns how much is left. */
  fillDisk(region: string): Promise<number>;
  freeDisk(region: string): Promise<number>;
  /** What key each pod has that may have one. */
  keys(): Promise<readonly PodKey[]>;
  /** Gives every pod another key, none, or the right one again; returns what they have now. */
  changeKey(to: 'right' | 'wrong' | 'none'): Promise<readonly PodKey[]>;
  /** Removes what these pods, which must be down, keep on disk. */
  erase(pods: readonly string[]): Promise<readonly Erased[]>;
  /** A new place for a restored copy in the pod `restore`: the configuration of a database that nobody uses. With the offline key: no other. */
  newCopy(
    name: string,
    offlineKey: boolean,
  ): Promise<{ readonly pod: string; readonly config: string; readonly region: string; readonly url: string }>;
}

export interface PodKey {
  readonly pod: string;
  /** null: it has none. */
  readonly digest: string | null;
}

export interface Erased {
  readonly pod: string;
  readonly filesBefore: number;
  readonly bytesBefore: number;
  readonly filesAfter: number;
}

export interface PodProgram {
  send(message: unknown): void;
  onMessage(handler: (message: unknown) => void): void;
  /** Every other line that it writes. */
  onText(handler: (line: string) => void): void;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  kill(): void;
}

/** What a platform needs from the run: a clock, a place to record, a folder. */
export interface RunContext {
  nowMs(): number;
  record(event: EventBody): void;
  readonly runFolder: string;
  readonly seed: number;
}
