import { resolve } from 'node:path';
import { HarnessError } from '../platform/errors.ts';
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

/** By their names. Throws HarnessError `bad-input` where two files have one name: a run of the one would be taken for a run of the other. */
export function byName(scenarios: readonly LoadedScenario[]): ReadonlyMap<string, LoadedScenario> {
  const named = new Map<string, LoadedScenario>();
  for (const loaded of scenarios) {
    const { name } = loaded.scenario;
    const namesake = named.get(name) ?? loaded;
    if (resolve(namesake.file) !== resolve(loaded.file))
      throw new HarnessError('bad-input', `${namesake.file} and ${loaded.file}: both scenarios are called ${name}; give each its own name`);
    named.set(name, loaded);
  }
  return named;
}
