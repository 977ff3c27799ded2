import path from 'node:path';
import { experimentOf } from '../fault/experiment-of.ts';
import { experimentName } from '../fault/fault.ts';
import { AddressedSystem, type Addressed } from '../platform/addresses/addresses.ts';
import { namesAddresses, podsOf, readAddressesFile } from '../platform/addresses/addresses-file.ts';
import { HarnessError } from '../platform/errors.ts';
import { notAllowed } from '../platform/kubernetes/allowed.ts';
import { startCluster } from '../platform/kubernetes/containerless/cluster-process.ts';
import { clusterTopology } from '../platform/kubernetes/containerless/lab-objects.ts';
import type { Inside } from '../platform/kubernetes/inside.ts';
import { KubernetesPlatform } from '../platform/kubernetes/kubernetes.ts';
import { LabInside } from '../platform/kubernetes/lab-inside.ts';
import { openParts } from '../platform/kubernetes/parts.ts';
import { readSystemFile, type SystemFile } from '../platform/kubernetes/system-file.ts';
import { NodesWord } from '../platform/kubernetes/nodes-word.ts';
import { LocalPlatform } from '../platform/local/local.ts';
import { namesService, readServiceFile } from '../platform/own-service/service-shape.ts';
import type { Experiment, Platform, Pod, RunContext } from '../platform/platform.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import { longestMs } from '../scenario/longest.ts';
import { notPossible, type Limits } from './system-may.ts';

export interface SystemOptions {
  /** On which a system is started for the run. */
  readonly platform: 'local' | 'kubernetes';
  /** A system that is there already, in clusters or by its addresses; undefined: one is started for the run. */
  readonly systemFile?: string | undefined;
  readonly engine?: string | undefined;
}

export interface OpenSystem {
  readonly platform: Platform;
  /** Ends what was started for the run beside the platform, after the platform is closed. */
  close(): Promise<void>;
}

/** The system under test of one run. Throws HarnessError: bad-input, missing-tool, lab-failed, cluster-failed. */
export async function openSystem(
  loaded: LoadedScenario,
  options: SystemOptions,
  context: RunContext,
  signal: AbortSignal,
): Promise<OpenSystem> {
  const { replication, policy, controllersPerRegion, backup = null, database = 'embedded', foundationdb } = loaded.scenario;
  const movableClocks = [...loaded.faults.values()].flat().some((fault) => fault.kind === 'TimeChaos');
  const engine = options.engine === undefined ? {} : { engineMain: options.engine };
  const settings = { replication, policy, controllersPerRegion, movableClocks, ...engine };
  if (options.systemFile === undefined && options.platform === 'local')
    return {
      platform: new LocalPlatform(context, { ...settings, backup, database, foundationdbLayout: foundationdb }),
      close: () => Promise.resolve(),
    };
  if (database === 'foundationdb') throw new HarnessError('unsupported', 'FoundationDB is started in local labs only, so far');
  const addressed = options.systemFile === undefined ? undefined : readAddressed(options.systemFile);
  if (addressed !== undefined) return { platform: new AddressedSystem(addressed, context), close: () => Promise.resolve() };
  if (backup !== null) throw new HarnessError('unsupported', 'a scenario with backups is played on the platform local only, so far');
  if (options.systemFile !== undefined)
    return { platform: await connect(options.systemFile, loaded, context, signal), close: () => Promise.resolve() };
  const cluster = await startCluster({ ...settings, folder: context.runFolder }, signal);
  try {
    return { platform: await connect(cluster.systemFile, loaded, context, signal), close: () => cluster.close() };
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

/** A system of which addresses are all that is known; undefined: the file names clusters. */
function readAddressed(file: string): Addressed | undefined {
  if (namesService(file)) return { pods: [], ownService: readServiceFile(file), folder: path.dirname(file) };
  if (!namesAddresses(file)) return undefined;
  const addresses = readAddressesFile(file);
  return { pods: podsOf(addresses), folder: addresses.credentials };
}

async function connect(file: string, loaded: LoadedScenario, context: RunContext, signal: AbortSignal): Promise<KubernetesPlatform> {
  const system = readSystemFile(file);
  const platform = await KubernetesPlatform.connect(system, await insideOf(system, loaded, context), context, signal);
  platform.refuseUnknownKinds(kindsOf(loaded));
  await platform.rehearse(opaqueExperiments(loaded, platform.pods(), context.seed), signal);
  return platform;
}

/** Of which the harness knows nothing but whom they hit, as they will be planned; one that selects nothing is told by the run itself. */
function opaqueExperiments({ faults }: LoadedScenario, running: readonly Pod[], seed: number): readonly Experiment[] {
  const pods = running.map((pod) => ({ ...pod, phase: 'Running' as const }));
  return [...faults].flatMap(([step, experiments]) =>
    experiments
      .filter(({ opaque }) => opaque === true)
      .flatMap((experiment) => {
        const planning = experiment.plan({ pods, seed, addressesOf: {} });
        if (planning.outcome === 'nothing-selected') return [];
        return [experimentOf({ name: experimentName(step, experiment, experiments), experiment, plan: planning.plan }, pods, false)];
      }),
  );
}

const kindsOf = ({ faults }: LoadedScenario): readonly string[] => [...new Set([...faults.values()].flat().map(({ kind }) => kind))];

async function insideOf(system: SystemFile, loaded: LoadedScenario, context: RunContext): Promise<Inside> {
  const { file, lab, service, probes } = system;
  if (service !== undefined)
    return await NodesWord.open(
      system,
      { programs: path.dirname(file), logs: path.join(context.runFolder, 'clients') },
      // Into nobody's pods without need: they stay in the pod's object for as long as it lives.
      probes !== undefined && [...loaded.faults.values()].flat().some(({ kind, opaque }) => kind === 'NetworkChaos' && opaque !== true)
        ? { settings: probes, forMs: longestMs(loaded.scenario), note: (message) => context.record({ kind: 'note', message }) }
        : undefined,
    );
  if (lab === undefined)
    throw new HarnessError(
      'unsupported',
      `${file}: has neither \`lab\` nor \`service\`: whom clients measure is not known; describe the service (docs/kubernetes.md)`,
    );
  const folders = { dataFolder: path.join(lab.folder, 'lab'), logs: path.join(context.runFolder, 'vantages') };
  return new LabInside(clusterTopology(lab.controllersPerRegion), folders);
}

/** Before anything is started: the file's contexts are there, and no experiment may reach beyond what it names. Throws HarnessError `bad-input`. */
export async function refuseNotAllowed(systemFile: string, loaded: readonly LoadedScenario[]): Promise<void> {
  const limits = limitsOf(systemFile);
  const impossible = limits === undefined ? [] : notPossible(limits, loaded);
  if (impossible.length > 0) throw new HarnessError('bad-input', impossible.join('\n'));
  if (limits?.faults === false) return;
  const system = readSystemFile(systemFile);
  await openParts(system);
  const problems = loaded.flatMap(({ faults }) => notAllowed([...faults.values()].flat(), system));
  if (problems.length > 0) throw new HarnessError('bad-input', [...new Set(problems)].join('\n'));
}

/** Names of the clients of a system that is there already; undefined: those of the lab. Throws HarnessError `bad-input`. */
export const clientsThere = (file: string): readonly string[] | undefined => limitsOf(file)?.clients;

/** Undefined: what the scenario asks can be had, as in a lab. */
function limitsOf(file: string): Limits | undefined {
  const service = namesService(file) ? readServiceFile(file) : undefined;
  if (service !== undefined) return { file, clients: Object.keys(service.clients), faults: false, service };
  if (namesAddresses(file)) return { file, clients: Object.keys(readAddressesFile(file).clients), faults: false, service: undefined };
  const { service: own } = readSystemFile(file);
  return own === undefined ? undefined : { file, clients: Object.keys(own.clients), faults: true, service: own };
}
