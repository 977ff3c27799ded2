import path from 'node:path';
import { AddressedSystem } from '../platform/addresses/addresses.ts';
import { namesAddresses, readAddressesFile } from '../platform/addresses/addresses-file.ts';
import { HarnessError } from '../platform/errors.ts';
import { notAllowed } from '../platform/kubernetes/allowed.ts';
import { startCluster } from '../platform/kubernetes/containerless/cluster-process.ts';
import { clusterTopology } from '../platform/kubernetes/containerless/lab-objects.ts';
import type { Inside } from '../platform/kubernetes/inside.ts';
import { KubernetesPlatform } from '../platform/kubernetes/kubernetes.ts';
import { LabInside } from '../platform/kubernetes/lab-inside.ts';
import { openParts } from '../platform/kubernetes/parts.ts';
import { readSystemFile, type SystemFile } from '../platform/kubernetes/system-file.ts';
import { LocalPlatform } from '../platform/local/local.ts';
import type { Platform, RunContext } from '../platform/platform.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import type { Step } from '../scenario/scenario.ts';

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
  const { replication, policy, controllersPerRegion, backup = null, database = 'embedded' } = loaded.scenario;
  const movableClocks = [...loaded.faults.values()].flat().some((fault) => fault.kind === 'TimeChaos');
  const engine = options.engine === undefined ? {} : { engineMain: options.engine };
  const settings = { replication, policy, controllersPerRegion, movableClocks, ...engine };
  if (options.systemFile === undefined && options.platform === 'local')
    return { platform: new LocalPlatform(context, { ...settings, backup, database }), close: () => Promise.resolve() };
  if (database === 'foundationdb') throw new HarnessError('unsupported', 'FoundationDB is started in local labs only, so far');
  if (options.systemFile !== undefined && namesAddresses(options.systemFile))
    return { platform: new AddressedSystem(readAddressesFile(options.systemFile), context), close: () => Promise.resolve() };
  if (backup !== null) throw new HarnessError('unsupported', 'a scenario with backups is played on the platform local only, so far');
  const kinds = [...new Set([...loaded.faults.values()].flat().map(({ kind }) => kind))];
  if (options.systemFile !== undefined)
    return { platform: await connect(options.systemFile, kinds, context, signal), close: () => Promise.resolve() };
  const cluster = await startCluster({ ...settings, folder: context.runFolder }, signal);
  try {
    return { platform: await connect(cluster.systemFile, kinds, context, signal), close: () => cluster.close() };
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

async function connect(file: string, kinds: readonly string[], context: RunContext, signal: AbortSignal): Promise<KubernetesPlatform> {
  const system = readSystemFile(file);
  const platform = await KubernetesPlatform.connect(system, insideOf(system, context), context, signal);
  platform.refuseUnknownKinds(kinds);
  return platform;
}

function insideOf({ file, lab }: SystemFile, context: RunContext): Inside {
  if (lab === undefined)
    throw new HarnessError(
      'unsupported',
      `${file}: has no \`lab\`, and this version can look only into pods of a lab; without faults a system can be given by its addresses`,
    );
  const folders = { dataFolder: path.join(lab.folder, 'lab'), logs: path.join(context.runFolder, 'vantages') };
  return new LabInside(clusterTopology(lab.controllersPerRegion), folders);
}

/** Before anything is started: the file's contexts are there, and no experiment may reach beyond what it names. Throws HarnessError `bad-input`. */
export async function refuseNotAllowed(systemFile: string, loaded: readonly LoadedScenario[]): Promise<void> {
  if (namesAddresses(systemFile)) return refuseMoreThanMeasuring(systemFile, loaded);
  const system = readSystemFile(systemFile);
  await openParts(system);
  const problems = loaded.flatMap(({ faults }) => notAllowed([...faults.values()].flat(), system));
  if (problems.length > 0) throw new HarnessError('bad-input', [...new Set(problems)].join('\n'));
}

/** What a scenario may do to a system that is known by its addresses: measure it. As the code and as a scenario calls it. (There is nothing to await recovery from: nothing is injected.) */
const MEASURING: ReadonlyMap<Step['do'], string> = new Map([
  ['observe', 'observe'],
  ['delete-all', 'deleteAll'],
]);

function refuseMoreThanMeasuring(systemFile: string, loaded: readonly LoadedScenario[]): void {
  const { clients } = readAddressesFile(systemFile);
  const problems = loaded.flatMap(({ file, scenario }) => {
    const more = scenario.method.map((step) => step.do).filter((what) => !MEASURING.has(what));
    const missing = scenario.expect.mustRecover.filter((vantage) => !Object.hasOwn(clients, vantage));
    return [
      ...(more.length > 0 || scenario.backup
        ? [
            `${file}: ${systemFile} is known by its addresses, where a scenario can only ${[...MEASURING.values()].join(', ')}; it asks for ${[...new Set(scenario.backup ? ['backup', ...more] : more)].join(', ')}`,
          ]
        : []),
      ...(missing.length > 0 ? [`${systemFile}: has no client ${missing.join(', ')}, of which ${file} says mustRecover`] : []),
    ];
  });
  if (problems.length > 0) throw new HarnessError('bad-input', problems.join('\n'));
}
