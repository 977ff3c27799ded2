import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../platform/errors.ts';
import { healClusters, type Healed } from '../platform/kubernetes/heal.ts';
import { openParts } from '../platform/kubernetes/parts.ts';
import { readSystemFile } from '../platform/kubernetes/system-file.ts';
import type { Output } from './output.ts';

/** `gameday chaos heal`: see healClusters. The journals are those of the runs in `reports`. Returns 1 when something is left. */
export async function healSystem(
  { system, reports }: { readonly system: string; readonly reports: string },
  output: Output,
): Promise<number> {
  const parts = await openParts(readSystemFile(system));
  const folders = existsSync(reports) ? readdirSync(reports).map((name) => join(reports, name)) : [];
  const healed = await healClusters(parts, folders, new AbortController().signal);
  output.text(healed.length === 0 ? 'nothing to heal: no experiment of a game day is there\n' : `${healed.map(line).join('\n')}\n`);
  return healed.some(({ problem }) => problem !== undefined) ? EXIT.fail : EXIT.pass;
}

function line({ kind, namespace, name, run, how, problem }: Healed): string {
  const what = `${kind} ${namespace}/${name} (run ${run || 'unknown'}, found by its ${how})`;
  return problem === undefined ? `${what}: taken back and gone` : `${what}: NOT taken back: ${problem}`;
}
