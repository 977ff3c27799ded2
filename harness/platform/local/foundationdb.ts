import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FoundationdbPrograms, PairPrograms } from '../foundationdb-programs.ts';
import { HarnessError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { run } from '../process.ts';
import { rowsOf } from './fdbcli-rows.ts';
import { nextToPlace } from './foundationdb-place.ts';
import { whatIsMissing } from './foundationdb-whole.ts';
import { podNamed, PORTS, type PodSpec, type Topology } from './topology.ts';

/** Of the pods that hold or use it: their own copy, since servers and clients rewrite it when coordinators change. */
export const CLUSTER_FILE = 'fdb.cluster';
/** The least that it can be configured with is two processes a region (with one it never becomes available, measured on 7.3.79). */
export const ENGINE = 'ssd-2';
/** In the folder of the runner's cluster file. */
const REGIONS_FILE = 'regions.json';
/** Of the engine's keys; its data is below `data/` in it (ARCHITECTURE §7). */
const PREFIX = 'gameday/';
/** More than any game day writes; fdbcli reads them in one transaction. */
const MOST_ROWS = 1_000_000;
/** Small: six servers beside everything else on one machine. */
const LIMITS = ['--memory=2GiB', '--storage-memory=256MiB', '--cache-memory=128MiB', '--logsize=1MiB', '--maxlogssize=4MiB'] as const;
/** Asynchronous disk access of the kernel is not to be had everywhere; and copying in a new cluster, or after a loss, would otherwise begin only after half a minute. */
const KNOBS = ['--knob_disable_posix_kernel_aio=1', '--knob_initial_failure_reaction_delay=2'] as const;

/** One coordinator a region: any region may be lost, and there is a majority. Of a pair `region` says whose cluster: that has its coordinator in its own region. */
export function clusterFile(topology: Topology, region = topology.primaryRegion): string {
  if (topology.foundationdb === 'pair') {
    const home = homeOf(topology, region);
    return `${home.replaceAll('-', '_')}:gameday@${addressOf(podNamed(topology, `fdb-${home}`))}\n`;
  }
  const coordinators = topology.regions.map((region) => podNamed(topology, `fdb-${region}`));
  return `lab:gameday@${coordinators.map(addressOf).join(',')}\n`;
}

/** Regions that have a cluster of their own; the first one is the primary in the beginning. */
export const pairRegions = ({ regions }: Topology): readonly [string, string] => [regions[0] ?? '', regions[1] ?? ''];

/** Whose cluster a region serves from: the third one's is that of the second. */
export const homeOf = (topology: Topology, region: string): string =>
  pairRegions(topology).find((home) => home === region) ?? pairRegions(topology)[1];

/** Of a pair, beside CLUSTER_FILE. */
export const pairFile = (region: string): string => `fdb-${region}.cluster`;

/** Both, for those who use both. */
export function pairFiles(topology: Topology): readonly { readonly path: string; readonly text: string }[] {
  if (topology.foundationdb !== 'pair') return [];
  return pairRegions(topology).map((region) => ({ path: pairFile(region), text: clusterFile(topology, region) }));
}

/** Agents tell of themselves every 40 s; a lab is to begin sooner. */
const TELLS_SOON = '--knob_backup_status_delay=2';

/** Copies from the other cluster to the one beside it. Pure. */
export function agentCommand(pod: PodSpec, { drAgent }: PairPrograms, topology: Topology, podRoot: string): readonly [string, ...string[]] {
  const from = pairRegions(topology).find((region) => region !== pod.region) ?? '';
  return [drAgent, '-s', `${podRoot}/${pairFile(from)}`, '-d', `${podRoot}/${pairFile(pod.region)}`, '--logdir', podRoot, TELLS_SOON];
}

const addressOf = ({ ipv4 }: PodSpec): string => `${ipv4}:${PORTS.fdb}`;

/** One fdbserver: its region is its data centre, its pod a machine and a zone of its own. Pure. */
export function serverCommand(
  pod: PodSpec,
  { fdbserver }: Pick<FoundationdbPrograms, 'fdbserver'>,
  { topology, podRoot }: { readonly topology: Topology; readonly podRoot: string },
): readonly [string, ...string[]] {
  const data = `${podRoot}/data`;
  const role = topology.foundationdb === 'two_regions' && pod.region === satelliteOf(topology) ? ['-c', 'log'] : [];
  const place = ['-C', `${podRoot}/${CLUSTER_FILE}`, '-p', addressOf(pod), '-l', 'public', '-d', data, '-L', data];
  const locality = [`--locality_dcid=${pod.region}`, `--locality_zoneid=${pod.name}`, `--locality_machineid=${pod.name}`];
  return [fdbserver, ...place, ...locality, ...role, ...LIMITS, ...KNOBS];
}

const satelliteOf = ({ regions }: Topology): string | undefined => regions.at(-1);

/** What `fdbcli fileconfigure` makes two regions of, the first one primary whenever it is whole; null where they replicate otherwise. Pure. */
export function regionsFile(topology: Topology): string | null {
  if (topology.foundationdb !== 'two_regions') return null;
  const homes = topology.regions.filter((region) => region !== satelliteOf(topology));
  const regions = homes.map((id, i) => ({
    datacenters: [
      { id, priority: homes.length - 1 - i },
      { id: satelliteOf(topology), priority: 1, satellite: 1 },
    ],
    satellite_redundancy_mode: 'one_satellite_double',
    satellite_logs: 2,
  }));
  return JSON.stringify({ redundancy_mode: 'double', storage_engine: ENGINE, usable_regions: 2, regions });
}

/** `database` of the engine's configuration. Pure. */
export function databaseSection(
  topology: Topology,
  { library, fdbcli, pair }: Pick<FoundationdbPrograms, 'library' | 'fdbcli' | 'pair'>,
): object {
  const there = topology.foundationdb === 'pair' ? pairRegions(topology) : topology.regions;
  return {
    kind: 'foundationdb',
    experimental: true,
    cluster_file: CLUSTER_FILE,
    ...(topology.foundationdb === 'pair' && pair !== undefined ? pairSection(topology, fdbcli, pair) : {}),
    data_centers: Object.fromEntries(there.map((region) => [region, region])),
    prefix: PREFIX,
    ...(library === null ? {} : { client_library: library }),
  };
}

function pairSection(topology: Topology, fdbcli: string, { fdbdr }: PairPrograms): object {
  return {
    cluster_file: pairFile(topology.primaryRegion),
    pair: Object.fromEntries(pairRegions(topology).map((region) => [region, pairFile(region)])),
    pair_homes: Object.fromEntries(topology.regions.map((region) => [region, homeOf(topology, region)])),
    pair_programs: { fdbcli, fdbdr },
  };
}

const CLI_SECONDS = 15;
const AGAIN_MS = 500;

/** The cluster of a lab, as the runner asks it: past the engine, and over its own way to every pod, which no fault touches. `file`: a cluster file of the runner's. */
export class LabFoundationdb {
  readonly #programs: FoundationdbPrograms;
  readonly #topology: Topology;
  readonly #file: string;

  constructor(programs: FoundationdbPrograms, topology: Topology, file: string) {
    this.#programs = programs;
    this.#topology = topology;
    this.#file = file;
  }

  /** Makes the database, as soon as its servers let it. Throws HarnessError `lab-failed` with what fdbcli said last when the signal aborts before. */
  async create(signal: AbortSignal): Promise<void> {
    const regions = regionsFile(this.#topology);
    const file = path.join(path.dirname(this.#file), REGIONS_FILE);
    if (regions !== null) await writeFile(file, regions);
    const command = regions === null ? `configure new three_datacenter ${ENGINE}` : `fileconfigure new ${file}`;
    await this.make(command, signal);
  }

  /** As `create`, by this command. */
  async make(command: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const said = await this.#cli(command, signal);
      if (/Database created|already exists/i.test(said)) return;
      await again(`FoundationDB was not created: ${said}`, signal);
    }
  }

  /**
   * Resolves when every region has its servers, all data all its copies, and the transaction system is in the primary region, by FoundationDB's own word. Throws HarnessError `lab-failed` with
   * what was missing when the signal aborts before.
   */
  async untilReady(signal: AbortSignal): Promise<void> {
    for (;;) {
      const status = await this.status(signal);
      const next = nextToPlace(status, this.#topology);
      const missing = whatIsMissing(status, this.#topology);
      if (next.kind === 'placed' && missing === null) return;
      const said = next.kind === 'ask' ? await this.#cli(next.commands, signal) : '';
      await again(`FoundationDB is not ready: ${missing ?? `it is not in ${this.#topology.primaryRegion}`} ${said}`.trim(), signal);
    }
  }

  /** After everything was lost: resolves when there is a new one, empty and whole. Throws HarnessError `lab-failed` as those do. */
  async remake(signal: AbortSignal): Promise<void> {
    await this.create(signal);
    await this.untilReady(signal);
  }

  /** What keeps it from being whole now; null: nothing. */
  async problem(signal: AbortSignal): Promise<string | null> {
    return whatIsMissing(await this.status(signal), this.#topology);
  }

  /** All data of the system as the database has it, in one transaction. Throws HarnessError with the reason where it could not be read whole. */
  async data(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const prefix = `${PREFIX}data/`;
    // '0' is the byte after '/'.
    return rowsOf(await this.#run(`getrange ${prefix} ${PREFIX}data0 ${MOST_ROWS}`, signal), prefix);
  }

  async status(signal: AbortSignal): Promise<unknown> {
    const answer = await this.#cli('status json', signal);
    return parseJson(answer.slice(Math.max(0, answer.indexOf('{'))));
  }

  /** What fdbcli said, be it an error. */
  #cli(command: string, signal: AbortSignal): Promise<string> {
    return this.#run(command, signal).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  }

  #run(command: string, signal: AbortSignal): Promise<string> {
    const args = ['-C', this.#file, '--timeout', String(CLI_SECONDS), '--exec', command];
    return run(this.#programs.fdbcli, args, { timeoutMs: (CLI_SECONDS + 5) * 1000, signal });
  }
}

export async function again(why: string, signal: AbortSignal): Promise<void> {
  try {
    await sleep(AGAIN_MS, undefined, { signal });
  } catch (cause) {
    throw new HarnessError('lab-failed', why, cause);
  }
}
