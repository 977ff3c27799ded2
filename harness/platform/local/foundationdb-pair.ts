import path from 'node:path';
import { z } from 'zod';
import { HarnessError } from '../errors.ts';
import { needPairPrograms, type FoundationdbPrograms, type PairPrograms } from '../foundationdb-programs.ts';
import { run } from '../process.ts';
import { again, CLUSTER_FILE, ENGINE, homeOf, LabFoundationdb, pairFile, pairRegions } from './foundationdb.ts';
import { whatIsMissing } from './foundationdb-whole.ts';
import type { Topology } from './topology.ts';

/** `fdbdr status` hangs while one of the two is away. */
const FDBDR_MS = 15_000;

/** What a lab's FoundationDB is asked, past the engine. */
export interface LabDatabaseServers extends Pick<LabFoundationdb, 'create' | 'untilReady' | 'remake' | 'data'> {
  problem(signal: AbortSignal, serving?: string): Promise<string | null>;
}

/** `folder`: of the runner's cluster files. */
export function labDatabase(programs: FoundationdbPrograms, topology: Topology, folder: string): LabDatabaseServers {
  if (topology.foundationdb === 'pair') return new LabPair(programs, topology, folder);
  return new LabFoundationdb(programs, topology, path.join(folder, CLUSTER_FILE));
}

const agentsShape = z
  .object({
    instances: z.record(z.string(), z.unknown()),
    tags: z.record(z.string(), z.object({ mutation_stream_id: z.string() }).partial()),
  })
  .partial()
  .default({});
const statusShape = z.object({
  cluster: z.object({
    database_lock_state: z.object({ locked: z.boolean(), lock_uid: z.string().optional() }),
    layers: z.object({ dr_backup: agentsShape, dr_backup_dest: agentsShape }).partial().default({}),
  }),
});

interface Side {
  readonly region: string;
  readonly cluster: LabFoundationdb;
  readonly file: string;
}

/** What both say now. */
type Seen = readonly (Side & { readonly status: unknown })[];

/** Two clusters, one a copy of the other by fdbdr, as the runner makes and asks them. */
class LabPair implements LabDatabaseServers {
  readonly #programs: PairPrograms;
  readonly #topology: Topology;
  readonly #sides: readonly Side[];

  constructor(programs: FoundationdbPrograms, topology: Topology, folder: string) {
    this.#programs = needPairPrograms(programs);
    this.#topology = topology;
    this.#sides = pairRegions(topology).map((region) => {
      const file = path.join(folder, pairFile(region));
      return { region, file, cluster: new LabFoundationdb(programs, topology, file) };
    });
  }

  async create(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#sides.map(({ cluster }) => cluster.make(`configure new single ${ENGINE}`, signal)));
  }

  /** Resolves when both are whole, the second is a complete copy of the first, and the agents of both ways have told of that: a switch asks them. Throws HarnessError `lab-failed` with what was missing when the signal aborts before. */
  async untilReady(signal: AbortSignal): Promise<void> {
    const [primary, copy] = this.#sides;
    for (;;) {
      const seen = await this.#look(signal);
      const missing = missingOf(seen, this.#topology);
      const why = missing ?? (await this.#copyMissing(seen, signal)) ?? whyNotTold(seen);
      if (why === null) return;
      const isNew = missing === null && seen.every(({ status }) => lockOf(status) === null);
      const said = isNew && primary && copy ? await this.#fdbdr('start', primary, copy, signal) : '';
      await again(`the pair is not ready: ${why} ${said}`.trim(), signal);
    }
  }

  /** Each for itself: what comes back is one of them, and whoever restores that has the other made its copy. */
  async remake(signal: AbortSignal): Promise<void> {
    await this.create(signal);
    for (;;) {
      const missing = missingOf(await this.#look(signal), this.#topology);
      if (missing === null) return;
      await again(`the new clusters of the pair are not whole: ${missing}`, signal);
    }
  }

  /** Also where a region serves whose cluster is not the one that takes writes: the pair has not moved with the service. */
  async problem(signal: AbortSignal, serving?: string): Promise<string | null> {
    const seen = await this.#look(signal);
    return missingOf(seen, this.#topology) ?? this.#notMoved(seen, serving) ?? (await this.#copyMissing(seen, signal));
  }

  #notMoved(seen: Seen, serving: string | undefined): string | null {
    const { primary } = rolesOf(seen);
    if (serving === undefined || primary === null || primary.region === homeOf(this.#topology, serving)) return null;
    return `${serving} serves, and the cluster that takes writes is that of ${primary.region}`;
  }

  /** Of the one that takes writes. Throws HarnessError where that is none, or both. */
  async data(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const { primary, why } = rolesOf(await this.#look(signal));
    if (primary === null) throw new HarnessError('lab-failed', `which cluster of the pair serves cannot be told: ${why}`);
    return await primary.cluster.data(signal);
  }

  async #look(signal: AbortSignal): Promise<Seen> {
    return await Promise.all(this.#sides.map(async (side) => ({ ...side, status: await side.cluster.status(signal) })));
  }

  async #copyMissing(seen: Seen, signal: AbortSignal): Promise<string | null> {
    const { primary, copy, why } = rolesOf(seen);
    if (primary === null || copy === null) return why;
    return copyProblem(await this.#fdbdr('status', primary, copy, signal), copy.region);
  }

  /** What it said, be it an error. */
  #fdbdr(command: 'start' | 'status', from: Side, to: Side, signal: AbortSignal): Promise<string> {
    const args = [command, '-s', from.file, '-d', to.file];
    return run(this.#programs.fdbdr, args, { timeoutMs: FDBDR_MS, signal }).catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    );
  }
}

function missingOf(seen: Seen, topology: Topology): string | null {
  for (const { region, status } of seen) {
    const missing = whatIsMissing(status, topology, [region]);
    if (missing !== null) return `${region}: ${missing}`;
  }
  return null;
}

/** The UID of its lock; null: none, undefined: it does not tell. Pure. */
export function lockOf(status: unknown): string | null | undefined {
  const lock = statusShape.safeParse(status).data?.cluster.database_lock_state;
  if (lock === undefined) return undefined;
  return lock.locked ? (lock.lock_uid ?? '') : null;
}

/** The one that takes writes, and the one that is locked; `why`: it cannot be told. Pure. */
export function rolesOf<T extends { readonly region: string; readonly status: unknown }>(
  seen: readonly T[],
): { readonly primary: T | null; readonly copy: T | null; readonly why: string } {
  const locks = seen.map(({ status }) => lockOf(status));
  const silent = seen.find((_, i) => locks[i] === undefined);
  const [open, locked] = [seen.filter((_, i) => locks[i] === null), seen.filter((_, i) => typeof locks[i] === 'string')];
  if (silent !== undefined) return { primary: null, copy: null, why: `${silent.region} does not tell whether it is locked` };
  if (open.length !== 1)
    return { primary: null, copy: null, why: open.length === 0 ? 'both are locked' : 'both take writes: neither is a copy' };
  return { primary: open[0] ?? null, copy: locked[0] ?? null, why: '' };
}

/** A copy that goes on is two or three seconds behind (measured), one whose agents have died is complete for ever. */
const MOST_BEHIND_S = 10;

/** What `fdbdr status` says, or does not say, of the copy. Pure. */
export function copyProblem(said: string, region: string): string | null {
  if (!/is a complete copy/.test(said)) return `${region} is no complete copy: ${said.trim().slice(0, 200)}`;
  if (/agents have been paused/.test(said)) return 'the agents are paused';
  const behind = /^The DR is (-?\d+(?:\.\d+)?) seconds behind/m.exec(said)?.[1];
  // Cut short, it has not come to whether agents are paused.
  if (behind === undefined || /WARNING: Could not fetch/.test(said))
    return `it is not told how far ${region} is behind: ${said.trim().slice(0, 200)}`;
  return Number(behind) > MOST_BEHIND_S ? `${region} is ${Number(behind).toFixed(1)} s behind` : null;
}

/** Agents of both ways know of the copy that is there now. Pure. */
export function whyNotTold(seen: readonly { readonly region: string; readonly status: unknown }[]): string | null {
  const { primary, copy } = rolesOf(seen);
  const [from, to] = [statusShape.safeParse(primary?.status).data?.cluster, statusShape.safeParse(copy?.status).data?.cluster];
  const uid = to?.database_lock_state.lock_uid;
  const told = [from?.layers.dr_backup, to?.layers.dr_backup_dest].every((layer) => layer?.tags?.['default']?.mutation_stream_id === uid);
  if (uid === undefined || !told) return 'the agents have not told of the copy yet';
  const back = [to?.layers.dr_backup, from?.layers.dr_backup_dest].every((layer) => Object.keys(layer?.instances ?? {}).length > 0);
  return back ? null : 'the agent of the other way has not told of itself yet';
}
