import { readFileSync } from 'node:fs';
import { explainFault } from '../fault/explain.ts';
import type { Fault } from '../fault/fault.ts';
import { labPods } from '../fault/lab-pods.ts';
import { EXIT, HarnessError } from '../platform/errors.ts';
import { examineClusters } from '../platform/kubernetes/doctor.ts';
import { readSystemFile } from '../platform/kubernetes/system-file.ts';
import { tell, type DoctorOptions } from '../platform/local/doctor.ts';
import { threeRegions } from '../platform/local/topology.ts';
import { badInput } from '../scenario/yaml-decode.ts';
import { examineService } from '../workload/examine-service.ts';
import type { Output } from './output.ts';
import type { DecodeManifest } from '../scenario/load.ts';
import { clusterManifestDecoder, manifestDecoder } from './scenarios.ts';

/** `gameday chaos check`: decodes manifests; every problem with file:line:column (HarnessError `bad-input`). */
export function checkManifests(files: readonly string[], output: Output): number {
  const faults = decodeAll(files);
  output.text(`${faults.map((fault) => `${fault.file}: ${fault.kind} ${fault.action} \`${fault.name}\`: ok`).join('\n')}\n`);
  return EXIT.pass;
}

/**
 * `gameday chaos explain`: what each experiment would select in the lab and do there, without starting anything. Host names are not looked up:
 * only the lab's own DNS knows what they will be.
 */
export function explainManifests(files: readonly string[], seed: number, output: Output): number {
  const plans = decodeAll(files).map((fault) => {
    const shapes = [{}, { backupStore: 'bucket' }, { database: 'foundationdb' }] as const;
    const plans = shapes.map((shape) => {
      const pods = labPods(threeRegions(shape));
      return { fault, pods, planning: fault.plan({ pods, seed, addressesOf: {} }) };
    });
    // Only a lab of a scenario with backups, or with FoundationDB, has pods for them.
    return plans.find(({ planning }) => planning.outcome === 'planned') ?? plans[0]!;
  });
  for (const { fault, pods, planning } of plans) output.text(`${explainFault(fault, planning, pods).join('\n')}\n`);
  return plans.some(({ planning }) => planning.outcome === 'nothing-selected') ? EXIT.inconclusive : EXIT.pass;
}

/** `gameday doctor --platform kubernetes`: what the clusters can do for a game day, whether these manifests select something there, and whether a service of somebody's own answers. */
export async function doctorOfClusters(systemFile: string, files: readonly string[], options: DoctorOptions): Promise<number> {
  const faults = decodeAll(files, clusterManifestDecoder);
  const system = readSystemFile(systemFile);
  const clusters = await examineClusters(system, faults);
  const service = system.service === undefined ? [] : await examineService(systemFile, system.service);
  return tell([...clusters, ...service], 'A game day', options);
}

function decodeAll(files: readonly string[], decode: DecodeManifest = manifestDecoder): readonly Fault[] {
  const decoded = files.map((file) => decode(read(file), file));
  const problems = decoded.flatMap((one) => (one.ok ? [] : one.problems));
  if (problems.length > 0) throw badInput(problems);
  return decoded.flatMap((one) => (one.ok ? one.value : []));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HarnessError('bad-input', `${file}: cannot be read; give the path of a Chaos Mesh manifest`, error);
  }
}
