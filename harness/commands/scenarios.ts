import { HarnessError } from '../platform/errors.ts';
import { decodeManifest } from '../fault/manifest.ts';
import { NAMESPACE, threeRegions } from '../platform/local/topology.ts';
import { faultKinds, opaqueKinds } from '../registry.ts';
import { packagedScenarios } from './places.ts';
import type { AskedDatabase, ScenarioSet } from '../scenario/scenario.ts';
import { loadScenarios, type DecodeManifest, type LoadedScenario } from '../scenario/load.ts';
import type { World } from '../scenario/decode.ts';

/** What a scenario may name: clients, the lab's where no others are given, and the platforms that are built. */
export function labWorld(database?: AskedDatabase, clients?: readonly string[]): World {
  const ofLab = threeRegions().pods.filter((pod) => pod.app === 'client');
  return { vantages: clients ?? ofLab.map((pod) => pod.region), platforms: ['local', 'kubernetes'], database };
}

export const manifestDecoder: DecodeManifest = (text, file) =>
  decodeManifest(text, file, { kinds: faultKinds, defaultNamespace: NAMESPACE });

/** For systems that are there already: their clusters may have kinds of which the harness knows only whom they hit. */
export const clusterManifestDecoder: DecodeManifest = (text, file) =>
  decodeManifest(text, file, { kinds: [...faultKinds, ...opaqueKinds], defaultNamespace: NAMESPACE });

/** `database`: to be played on it, whatever they say. Throws HarnessError `bad-input` with every problem of every file. */
export function load(files: readonly string[], database?: AskedDatabase): readonly LoadedScenario[] {
  return loadScenarios(files, labWorld(database), manifestDecoder);
}

/** To be played on a system that is there already; `clients`: its own, undefined: those of the lab. As load. */
export function loadForSystem(files: readonly string[], database?: AskedDatabase, clients?: readonly string[]): readonly LoadedScenario[] {
  return loadScenarios(files, labWorld(database, clients), clusterManifestDecoder);
}

/** Those scenarios of the package that belong to a set; those of `foundationdb` are played on it. Throws HarnessError `bad-input`, also for a file that does not. */
export function loadSet(
  set: ScenarioSet,
  database: AskedDatabase | undefined = set === 'foundationdb' ? set : undefined,
): readonly LoadedScenario[] {
  if (set === 'foundationdb' && database === 'embedded')
    throw new HarnessError(
      'bad-input',
      `--database ${database}: the scenarios of --set foundationdb are played on FoundationDB; name the file of one to play it on another`,
    );
  const members = load(packagedScenarios()).filter(({ scenario }) => scenario.sets.includes(set));
  return database === undefined ? members : load([...new Set(members.map(({ file }) => file))], database);
}
