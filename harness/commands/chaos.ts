import { readFileSync } from 'node:fs';
import type { Fault } from '../fault/fault.ts';
import { labPods } from '../fault/lab-pods.ts';
import { EXIT, HarnessError } from '../platform/errors.ts';
import { threeRegions } from '../platform/local/topology.ts';
import { badInput } from '../scenario/yaml-decode.ts';
import type { Output } from './output.ts';
import { manifestDecoder } from './scenarios.ts';

/** `gameday chaos check`: decodes manifests; every problem with file:line:column (HarnessError `bad-input`). */
export function checkManifests(files: readonly string[], output: Output): number {
  const faults = decodeAll(files);
  output.text(`${faults.map((fault) => `${fault.file}: ${fault.kind} ${fault.action} \`${fault.name}\`: ok`).join('\n')}\n`);
  return EXIT.pass;
}

/** `gameday chaos explain`: what each experiment would select in the lab and do there, without starting anything. */
export function explainManifests(files: readonly string[], seed: number, output: Output): number {
  const plans = decodeAll(files).map((fault) => ({
    fault,
    planning: fault.plan({ pods: labPods(threeRegions()), seed, addressesOf: {} }),
  }));
  for (const { fault, planning } of plans) {
    output.text(`${fault.kind} ${fault.action} \`${fault.name}\` (mode ${fault.mode})\n`);
    if (planning.outcome === 'nothing-selected') {
      output.text(`  selects nothing: ${planning.reason}\n`);
      continue;
    }
    const { sources, targets, primitives, notes } = planning.plan;
    const names = (of: readonly { readonly pod: string }[]): string => of.map((one) => one.pod).join(' ') || '–';
    output.text(`  selects  ${names(sources)}\n  targets  ${names(targets)}\n`);
    for (const primitive of primitives) output.text(`  does     ${JSON.stringify(primitive)}\n`);
    for (const note of notes) output.text(`  note     ${note}\n`);
  }
  return plans.some(({ planning }) => planning.outcome === 'nothing-selected') ? EXIT.inconclusive : EXIT.pass;
}

function decodeAll(files: readonly string[]): readonly Fault[] {
  const decoded = files.map((file) => manifestDecoder(read(file), file));
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
