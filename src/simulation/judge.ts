import type { RecordName, Records, Replication, Snapshot, Step } from '../arbiter/arbiter.ts';
import type { Policy } from '../config/policy.ts';
import type { DatabaseState } from '../database/database.ts';
import type { HttpRequest } from '../platform/http.ts';
import { Authority, type Holder } from './authority.ts';
import { Cause } from './cause.ts';
import type { Heard, HttpWitness } from './http.ts';
import { Ledger } from './ledger.ts';
import type { Place } from './network.ts';
import { withLongLease } from './policies.ts';
import type { ArbiterWitness } from './simulated-arbiter.ts';
import { REGIONS } from './simulated-config.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import { Tenure } from './tenure.ts';
import { TOLERANCE } from './tolerance.ts';
import { Violation } from './violation.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What is judged: the world as somebody sees it who sees everything. */
export interface Scene {
  readonly options: {
    readonly policy: Policy;
    readonly leasesDiffer: boolean;
    readonly mode: 'sync' | 'async';
    readonly rpoSeconds: number;
    readonly clocksJump: boolean;
  };
  readonly time: VirtualTime;
  readonly databases: ReadonlyMap<string, { readonly database: { state(): DatabaseState } }>;
  readonly etcd: { readonly records: Snapshot; seenBy(process: SimulatedProcess): number };
  disk(region: string): SimulatedDisk;
  holders(): readonly Holder[];
  readonly leases: number;
}

/** Sees every message and every change of a record as it happens and hands it to those who keep the promises; never what the engine says of itself. */
export class Judge implements HttpWitness, ArbiterWitness {
  readonly ledger: Ledger;
  readonly authority = new Authority();
  readonly cause: Cause;
  readonly tenure: Tenure;
  violation: Violation | null = null;
  /** Whatever loss somebody accepts: every disk is there, but one that was emptied, and so is all that was acknowledged. */
  allIsThere = false;
  /** Told of each step that a run reaches. */
  onStep: (step: Step) => void = () => undefined;
  readonly #scene: Scene;

  constructor(scene: Scene) {
    const { policy, leasesDiffer, mode, clocksJump } = scene.options;
    this.#scene = scene;
    this.ledger = new Ledger(mode);
    // A silence of the arbiter that may have stopped a primary is told by each controller by its own lease; the longest counts for all.
    this.cause = new Cause(leasesDiffer ? withLongLease(policy) : policy, REGIONS, clocksJump);
    this.tenure = new Tenure(policy.leaderTakeoverMs);
  }

  /** Runs a check; the first violation ends the run, wherever it came out. */
  watch(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.violation ??= error instanceof Violation ? error : new Violation('programs-do-not-break', describe(error));
    }
  }

  /** After every happening. */
  look(): void {
    if (this.#scene.leases > 1) this.watch(() => this.authority.atMostOne(this.#scene.holders()));
  }

  serves({ path, body }: HttpRequest): void {
    if (path !== '/v1/fence' && path !== '/v1/seal' && path !== '/v1/promote') return;
    this.watch(() => {
      const { epoch, runId } = JSON.parse(body.toString()) as { epoch: number; runId: string };
      this.authority.acts(path, epoch, runId, this.#scene.etcd.records.failover?.value ?? null);
    });
  }

  replied(request: HttpRequest, at: Place, status: number, json: unknown): void {
    const { path } = request;
    if (path.startsWith('/v1/kv/')) this.watch(() => this.#answeredClient(request, at, status, json));
    else if ((path === '/v1/seal' || path === '/v1/fence') && status === 200) this.watch(() => this.#sealed(request, at));
  }

  heard({ by, path, from, result, sentAtMs }: Heard): void {
    if (by.program !== 'controller' || result.status !== 200) return;
    const { nowMs } = this.#scene.time;
    if (path === '/v1/vote') this.cause.heardVote(by.region, from.region, { body: result.body, sentAtMs, atMs: nowMs });
    else if (path === '/v1/status' && from.program === 'database') this.cause.heardStatus(by.region, from.region, sentAtMs, nowMs);
    else if (path === `/v1/kv/.canary/${by.region}`) this.cause.sawCommit(by.region, nowMs);
  }

  asked<K extends RecordName>(by: SimulatedProcess, record: K, value: Records[K]): void {
    if (record === 'leader') this.watch(() => this.#names(by.region, value as Records['leader']));
    if (record !== 'failover') return;
    const journal = value as Records['failover'];
    const { etcd, time } = this.#scene;
    this.watch(() => {
      if (journal.acceptedLossSeconds !== null && !this.allIsThere) this.ledger.mode = 'async';
      const { lease, maintenance, replication } = etcd.records;
      const pausedKnown = maintenance?.value.paused === true && etcd.seenBy(by) >= maintenance.revision;
      const known = { lease: lease?.value ?? null, replication: replication?.value ?? null, pausedKnown, ledSinceMs: this.tenure.sinceMs };
      this.cause.begins(by.region, journal, known, time.nowMs);
    });
  }

  answered(by: SimulatedProcess): void {
    if (by.program === 'controller') this.cause.arbiterAnswered(by.region, this.#scene.time.nowMs);
    this.told();
  }

  told(): void {
    this.cause.arbiterSpoke(this.#scene.time.nowMs);
  }

  stored<K extends RecordName>(by: SimulatedProcess, record: K, after: Records[K], before: Records[K] | null): void {
    this.watch(() => {
      this.authority.stored(record, { before, after }, this.#scene.holders());
      if (record === 'failover') this.#journalled(after as Records['failover'], before as Records['failover'] | null);
      else if (record === 'lease') this.#leased(by, after as Records['lease'], before as Records['lease'] | null);
      else if (record === 'replication')
        this.cause.setStored((after as Replication).set, (before as Replication | null)?.set ?? [], this.#scene.time.nowMs);
      else if (record === 'leader')
        this.tenure.stored(by.region, after as Records['leader'], before as Records['leader'] | null, this.#scene.time.nowMs);
    });
  }

  #names(by: string, named: Records['leader']): void {
    this.tenure.names(by, named, this.cause.answeredLately(by, named.region, named.incarnation, this.#scene.time.nowMs));
  }

  #sealed({ path, body }: HttpRequest, { region }: Place): void {
    const { epoch } = JSON.parse(body.toString()) as { epoch: number };
    if (this.#scene.disk(region).image.sealedEpoch < epoch)
      throw new Violation('promises-are-durable', `${region} answered ${path} of epoch ${epoch} before its disk had it`);
  }

  #answeredClient({ method, rest, body }: HttpRequest, { region }: Place, status: number, json: unknown): void {
    const reply = json as { epoch?: number; index?: number; value?: string; error?: { applied?: string } };
    const { epoch = 0, index = 0 } = reply;
    if (method === 'PUT' && status === 200) {
      const running = this.#scene.databases.get(region);
      this.ledger.acknowledge(
        { atMs: this.#scene.time.nowMs, region, epoch, index, key: rest, value: body.toString() },
        running?.database.state(),
      );
    } else if (method === 'PUT' && reply.error?.applied === 'no') this.ledger.refuse(rest, body.toString());
    else if (method === 'GET' && (status === 200 || status === 404)) this.ledger.read(region, epoch, rest, reply.value);
  }

  #journalled(after: Records['failover'], before: Records['failover'] | null): void {
    this.cause.ended(after);
    if (after.step !== before?.step) this.onStep(after.step);
  }

  /** Whoever takes the lease for itself takes over. */
  #leased(by: SimulatedProcess, after: Records['lease'], before: Records['lease'] | null): void {
    const takes = after.holder !== null && after.incarnation !== before?.incarnation;
    const state = this.#scene.databases.get(by.region)?.database.state();
    if (!takes || state === undefined) return;
    // Asked by a process that was killed meanwhile: with the disk that was emptied since nobody serves in this epoch.
    if (by.isDead && state.sealedEpoch < after.epoch) return;
    this.ledger.takesOver(by.region, { lastIndex: state.log.index, epochs: state.epochs }, this.#acceptedMs(after.epoch));
  }

  /** How much may be lost by whoever takes this epoch: what an operator typed, else, where a run promotes it asynchronously, the objective. Who takes it by itself has all that it acknowledged. */
  #acceptedMs(epoch: number): number {
    const { options, etcd } = this.#scene;
    const run = etcd.records.failover?.value;
    if (run === undefined || run.epoch !== epoch || this.allIsThere) return 0;
    const seconds = run.acceptedLossSeconds ?? (run.mode === 'async' ? options.rpoSeconds : 0);
    return (seconds * 1000) / TOLERANCE;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
