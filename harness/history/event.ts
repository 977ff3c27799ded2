import type { MachineCounted } from './machine-event.ts';

/**
 * Every record of a run. `events.ndjson` holds one RunEvent a line, in the order they were recorded.
 * Measuring, checking, verdict and report are pure functions of these.
 *
 * `atMs` and every other `*Ms` instant is milliseconds on the host's monotonic clock since the run's origin
 * (`run-started.originNs`, CLOCK_MONOTONIC, which all processes of the host share). `wall` (ISO 8601) is a label.
 */
export type RunEvent = { readonly atMs: number; readonly wall: string } & EventBody;

export type EventBody =
  | RunStarted
  | PhaseEntered
  | OperationCompleted
  | FaultPlanned
  | FaultInjected
  | FaultEffect
  | FaultHealed
  | ReachabilityMeasured
  | PodChanged
  | OrderGiven
  | BackupOrdered
  | CopyRead
  | DamageDone
  | StoreListed
  | Marked
  | DeletionAsked
  | BulkLoaded
  | EngineLogged
  | EngineStatus
  | DnsAnswered
  | ClientFinished
  | ReadBack
  | DivergentTail
  | RedundancyRestored
  | MachineCounted
  | Note
  | RunAborted
  | RunEnded;

export const EVENT_SCHEMA = 1;

/** What `versions.engine` says where the run started the engine of this package. */
export const OWN_ENGINE = 'coditect-dr';

export interface RunStarted {
  readonly kind: 'run-started';
  readonly schema: typeof EVENT_SCHEMA;
  readonly runId: string;
  readonly originNs: string;
  /** The scenario document as decoded (harness/scenario/scenario.ts), so that a run folder judges by itself. */
  readonly scenario: unknown;
  readonly scenarioFile: string;
  readonly seed: number;
  readonly platform: string;
  /** `templates`: the service has an API of its own, and which part of it answered is not known. Absent: the engine's contract. */
  readonly ledger?: 'templates';
  readonly machine: { readonly kernel: string; readonly cpus: number; readonly node: string; readonly user: string };
  readonly versions: Readonly<Record<string, string>>;
  /** Region of every API's address (of every pod's in records of before): how a vantage's peer address becomes a region, without asking the engine. */
  readonly regionOfAddress: Readonly<Record<string, string>>;
  /** Where the service is to be in peace, where whoever started it knows; absent in records of before. */
  readonly primaryRegion?: string;
  /** Every client that measures: one that never says a word must be missed. */
  readonly vantages: readonly string[];
}

export type Phase = 'setup' | 'steady' | 'inject' | 'observe' | 'heal' | 'settle' | 'readback' | 'teardown';
export interface PhaseEntered {
  readonly kind: 'phase';
  readonly phase: Phase;
}

export type Outcome = 'ok' | 'failed' | 'unknown';

/** One operation of a vantage, recorded when its outcome is known. */
export interface OperationCompleted {
  readonly kind: 'op';
  readonly vantage: string;
  readonly seq: number;
  readonly op: 'put' | 'get' | 'delete';
  readonly key: string;
  /** put: what was written; get with outcome ok: what was read, null when the key was absent. */
  readonly value: string | null;
  /** When the open-model schedule said that it should start; latency counts from here. */
  readonly intendedMs: number;
  readonly completedMs: number;
  readonly outcome: Outcome;
  /** How long after that the client itself got to it, where a millisecond or more: it was not scheduled, so the time is no one else's. */
  readonly lateMs?: number;
  /** With it: when the client had certainly been awake before. Absent where it does not know. */
  readonly awakeMs?: number;
  /** Time spent in name resolution, part of the above. */
  readonly dnsMs: number;
  /** The address the request went to (undefined: the name did not resolve). */
  readonly address?: string;
  /** What the answer claimed; recorded and compared, never used to measure. */
  readonly claimedRegion?: string;
  readonly claimedEpoch?: number;
  /** failed, unknown: a short stable reason, e.g. `connect-refused`, `timeout-connecting`, `timeout-sent`, `http-503-not-primary`, `dropped`. */
  readonly reason?: string;
}

export interface FaultTarget {
  readonly pod: string;
  readonly region: string;
}

/** One direction between two pods, in these address families. */
export interface Link {
  readonly from: string;
  readonly to: string;
  readonly families: readonly (4 | 6)[];
}

/** What independent probes must see for a fault to count as applied. */
export type ExpectedEffect =
  | {
      readonly kind: 'links-cut';
      /** All pods of the lab: every link between any two of them must be measured. */
      readonly pods: readonly string[];
      /** In which the pods have addresses, where that is one only: nothing goes in the other. Absent: both. */
      readonly families?: readonly (4 | 6)[];
      /** Links that must lose everything; every other link must lose nothing. */
      readonly cut: readonly Link[];
      /** Parts of the fault that no probe of the lab can see; each keeps the effect from being confirmed. */
      readonly unobservable: readonly string[];
    }
  | {
      readonly kind: 'processes-gone';
      readonly pods: readonly string[];
      /** What follows: `replaced` a new pod, `restarted` the container, `held` nothing until healed. */
      readonly afterwards: 'replaced' | 'restarted' | 'held';
    }
  /** These links lose this share of what is sent, each datagram for itself; every other link loses nothing. `pods` and `families` as above. */
  | {
      readonly kind: 'links-lossy';
      readonly pods: readonly string[];
      readonly families?: readonly (4 | 6)[];
      readonly lossy: readonly Link[];
      readonly share: number;
    }
  /** Every process of the pods is stopped for this share of the time; 1: all the time. */
  | { readonly kind: 'processes-frozen'; readonly pods: readonly string[]; readonly share: number }
  /** The wall clocks of the pods' programs are off by so much. */
  | { readonly kind: 'clocks-moved'; readonly pods: readonly string[]; readonly offsetMs: number }
  /** Whatever a cluster does to these pods by this kind and action: nobody of the harness can see it, and so it is never confirmed. */
  | { readonly kind: 'unseen'; readonly pods: readonly string[]; readonly what: string };

/** A manifest was decoded and its selection made. Nothing has happened yet. */
export interface FaultPlanned {
  readonly kind: 'fault-planned';
  readonly fault: string;
  readonly manifestFile: string;
  readonly manifestSha256: string;
  readonly manifestKind: string;
  readonly action: string;
  readonly mode: string;
  /** After which the manifest lets it end by itself, counted from the injection; null: it lasts until it is healed. Absent in records of before. */
  readonly durationMs?: number | null;
  readonly seed: number;
  readonly sources: readonly FaultTarget[];
  readonly targets: readonly FaultTarget[];
  readonly expected: ExpectedEffect;
  /** Where we differ from Chaos Mesh on purpose, and ignored-by-design fields; shown in the report. */
  readonly notes: readonly string[];
}

/** The platform has been asked and has answered. This alone proves nothing: see FaultEffect. */
export interface FaultInjected {
  readonly kind: 'fault-injected';
  readonly fault: string;
  readonly requestedMs: number;
  readonly acknowledgedMs: number;
}

/**
 * When a link changed, as seen by something other than the injector. The last sign of the old state is stamped before its system call, the
 * first sign of the new state after it, so that the change lies between them.
 */
export interface Beacon {
  readonly from: string;
  readonly to: string;
  readonly family: 4 | 6;
  /** When the last datagram that arrived, and the first that did not, was sent (cut); the other way round for a heal. */
  readonly lastArrivedSentMs: number | null;
  readonly firstLostSentMs: number | null;
  readonly lastLostSentMs: number | null;
  readonly firstArrivedAgainSentMs: number | null;
  /** When the first that arrived after one that did not was sent, also if others were lost again after it. Absent in records of before. */
  readonly firstBackSentMs?: number | null;
  /** How many arrived, one after the other, after the last that did not. Absent in records of before. */
  readonly arrivedSinceLost?: number;
  readonly sent: number;
  readonly received: number;
}

/** A process that lives in a pod's network namespace, as the kernel's process table has it: not from whoever started or killed it. */
export interface PodProcess {
  readonly pod: string;
  readonly pid: number;
  /** Start time in clock ticks since boot; with the pid it names one process for ever. */
  readonly startedTicks: number;
  readonly command: string;
  /** As the kernel has it: R, S, D, T (stopped), …; X: it ends, and runs nothing of its own any more. `?`: nobody looked; its node has not told its end, which may be long past. */
  readonly state: string;
}

/** How far a program's own wall clock was from ours; null: it did not say. */
export interface ClockReading {
  readonly atMs: number;
  readonly pod: string;
  readonly offsetMs: number | null;
}

/** What a process of a pod was doing at an instant. */
export interface ProcessState {
  readonly atMs: number;
  readonly pod: string;
  readonly pid: number;
  readonly state: string;
}

/** What an effect is judged from, beside the sweep (`reachability`), the plan and the pods' supervisors (`pod`), which have records of their own. */
export type EffectEvidence =
  | { readonly kind: 'links'; readonly beacons: readonly Beacon[] }
  /** sample: what was sent after sinceMs, and nothing else; spanning: from before the injection, for when it began. */
  | { readonly kind: 'losses'; readonly sample: readonly Beacon[]; readonly spanning: readonly Beacon[]; readonly sinceMs: number }
  /** lastThereMs: when the last look began that saw every process of before the injection. */
  | { readonly kind: 'processes'; readonly processes: readonly PodProcess[]; readonly lastThereMs?: number }
  | { readonly kind: 'states'; readonly states: readonly ProcessState[] }
  | { readonly kind: 'clocks'; readonly readings: readonly ClockReading[] }
  | { readonly kind: 'none' };

/** When every effect is looked at. */
export type ChangeMoment = 'before' | 'during' | 'after-heal';

/**
 * What independent probes saw at this moment. The run goes on by it; the judge works it out again from the evidence and trusts nothing else.
 */
export interface FaultEffect {
  readonly kind: 'fault-effect';
  readonly fault: string;
  /** `before-heal`: right before it is taken back, of an effect whose own end leaves no trace (programs that stand still, clocks). */
  readonly moment: ChangeMoment | 'before-heal';
  readonly confirmed: boolean;
  /** Interval in which the effect began (during) or ended (after-heal): last sign of the old state, first of the new. */
  readonly betweenMs?: readonly [number, number];
  /** Spread over the probed links (at most so much: the probe period is in it) or processes: latest minus earliest change. */
  readonly skewMs?: number;
  readonly asked: string;
  readonly measured: string;
  readonly evidence: EffectEvidence;
}

export interface FaultHealed {
  readonly kind: 'fault-healed';
  readonly fault: string;
  readonly requestedMs: number;
  readonly acknowledgedMs: number;
}

export interface ReachabilityCell {
  readonly from: string;
  readonly to: string;
  readonly family: 4 | 6;
  /** One-way datagrams from real sockets in the two pods' namespaces. */
  readonly sent: number;
  readonly received: number;
}
export interface ReachabilityMeasured {
  readonly kind: 'reachability';
  readonly moment: ChangeMoment;
  readonly fault: string | null;
  readonly cells: readonly ReachabilityCell[];
}

export interface PodChanged {
  readonly kind: 'pod';
  readonly pod: string;
  readonly region: string;
  readonly change: 'started' | 'ready' | 'exited' | 'killed' | 'held' | 'released' | 'frozen' | 'thawed' | 'restart-scheduled';
  readonly pid?: number;
  readonly exitCode?: number | null;
  readonly signal?: string | null;
  readonly restartInMs?: number;
}

/** What the operator ordered with the engine's own command line, and how it ended. */
export interface OrderGiven {
  readonly kind: 'order';
  readonly args: readonly string[];
  readonly givenMs: number;
  readonly endedMs: number;
  /** null: it did not end in time and was killed. */
  readonly exitCode: number | null;
  /** What it wrote, its end. Absent in records of before. */
  readonly said?: string;
}

/** A `coditect-dr backup …` that was ordered, and how it ended. Nothing that it says is believed: see CopyRead. */
export interface BackupOrdered {
  readonly kind: 'backup-order';
  /** Of the step; null: nobody refers to it. */
  readonly name: string | null;
  readonly pod: string;
  readonly region: string;
  readonly args: readonly string[];
  readonly givenMs: number;
  readonly endedMs: number;
  /** null: it did not end in time and was killed. */
  readonly exitCode: number | null;
  /** The JSON document that it printed, if it did. */
  readonly answer: Readonly<Record<string, unknown>> | null;
  /** What else it wrote, its end. */
  readonly said: string;
  /** Objects that were in the store after it and not before: looked at on the store's disk. */
  readonly added: readonly { readonly name: string; readonly bytes: number }[];
}

/** A restored copy, served by a database program of its own and read as any client reads (`GET /v1/export`). */
export interface CopyRead {
  readonly kind: 'copy';
  readonly name: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly entries?: Readonly<Record<string, string>>;
  /** Of all keys and values as they were read. */
  readonly bytes?: number;
}

/** What the harness did to store, keys or disks, with what was there before and after. */
export interface DamageDone {
  readonly kind: 'damage';
  readonly how: string;
  readonly object: string | null;
  /** Objects, pods: what was damaged. `before` and `after` are digests or sizes; equal: nothing happened. */
  readonly done: readonly { readonly what: string; readonly before: string; readonly after: string }[];
}

/** What lies in the store, as its disk shows. */
export interface StoreListed {
  readonly kind: 'store';
  readonly manifests: readonly string[];
  /** When each of them was put there, by the disk. */
  readonly writtenMs?: Readonly<Record<string, number>>;
  /** Records of verifications: whether they say that all is well. */
  readonly records?: Readonly<Record<string, boolean>>;
  /** By its id why a backup is not to be trusted, or null: as the engine's program on a machine that makes none reads it. */
  readonly listed?: Readonly<Record<string, string | null>>;
  /** A look for itself, of no step that waits. */
  readonly alone?: boolean;
  /** At the end of a step that waited for some: how many it asked for, and how many it saw come. Not judged by. */
  readonly awaited?: { readonly more: number; readonly came: number };
}

/** A named instant; `timeMs` is its wall time, for commands that want one. */
export interface Marked {
  readonly kind: 'mark';
  readonly name: string;
  readonly timeMs: number;
}

/** Every client was asked to delete what it had written; what they did is in their operations. */
export interface DeletionAsked {
  readonly kind: 'deletion';
  readonly startedMs: number;
  readonly endedMs: number;
}

/** Load of k6, with the summary that it exported; null: there is none. */
export interface BulkLoaded {
  readonly kind: 'bulk';
  readonly name: string;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly exitCode: number | null;
  readonly summary: Readonly<Record<string, unknown>> | null;
  /** Numbers of the iterations whose write was acknowledged; absent in records of before. */
  readonly acknowledged?: readonly number[];
}

/** A line of an engine program's own log, as it was written. */
export interface EngineLogged {
  readonly kind: 'engine-log';
  readonly pod: string;
  readonly action: string;
  readonly line: Readonly<Record<string, unknown>>;
}

export interface EngineStatus {
  readonly kind: 'engine-status';
  readonly region: string;
  readonly program: 'api' | 'db' | 'dr-controller';
  readonly ok: boolean;
  readonly body?: unknown;
  readonly error?: string;
}

/** What the caching resolver of a vantage answered, recorded when it changes. */
export interface DnsAnswered {
  readonly kind: 'dns';
  readonly vantage: string;
  readonly addresses: readonly string[];
}

/** The last word of a client that was asked to stop and accounted for everything in flight: without it, nobody knows what it sent last. */
export interface ClientFinished {
  readonly kind: 'client-finished';
  readonly vantage: string;
  /** Operations that it ever sent. */
  readonly issued: number;
  /** Whether it was scheduled before what it measured, which a user of the sandbox may not be. Not judged by; absent in records of before. */
  readonly scheduledFirst?: boolean;
}

/** Instead of a region, for what a database said that all regions share: read past the engine. */
export const DATABASE_ITSELF = 'the database itself';

/** One region's whole committed copy after the run (`GET /v1/export`), or what the database itself holds. */
export interface ReadBack {
  readonly kind: 'readback';
  readonly region: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly role?: string;
  readonly epoch?: number;
  readonly entries?: Readonly<Record<string, string>>;
  /** Of all keys and values as they were read; long ones are recorded as digests. */
  readonly bytes?: number;
}

export interface DivergentTail {
  readonly kind: 'divergent-tail';
  readonly region: string;
  readonly file: string;
  readonly entries: readonly {
    readonly epoch: number;
    readonly index: number;
    readonly op: string;
    readonly key: string;
    readonly value?: string;
  }[];
}

/** Every region's database says it is in the sync set or caught up again (t10). */
export interface RedundancyRestored {
  readonly kind: 'redundancy-restored';
}

export interface Note {
  readonly kind: 'note';
  readonly message: string;
}

export interface RunAborted {
  readonly kind: 'run-aborted';
  readonly code: string;
  readonly message: string;
}

export interface RunEnded {
  readonly kind: 'run-ended';
  /** Differences from the state before the run: processes, namespaces, rules, mounts. Empty is clean. */
  readonly leftovers: readonly string[];
}
