import { decodeManifest } from '../fault/manifest.ts';
import { NAMESPACE, threeRegions } from '../platform/local/topology.ts';
import { faultKinds, opaqueKinds } from '../registry.ts';
import type { AskedDatabase } from '../scenario/scenario.ts';
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
