import { resolve } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import { openCluster } from '../foundationdb/client.ts';
import { keySpaceOf } from '../foundationdb/key-space.ts';
import { differences, type Differing } from '../foundationdb/pair-difference.ts';
import { needNewFile, saveLines } from '../platform/save-lines.ts';
import { needFoundationdb } from './managed-foundationdb.ts';
import { tellSteps, type Shown } from './ordering.ts';
import { pairOf, type PairPrograms } from './pair-members.ts';
import { EXIT } from './world.ts';

export interface DifferenceOrder {
  /** Whose values come first. */
  readonly cluster: string;
  readonly out: string;
  readonly programs: PairPrograms;
}

/**
 * Saves what the two clusters of a pair do not have in common, before one of them is erased: a line a key, with its value in either. Changes nothing in them.
 * @throws EngineError bad-request where the file is there already, database-unavailable
 */
export async function savePairDifference(loaded: LoadedConfig, { cluster, out, programs }: DifferenceOrder, world: Shown): Promise<number> {
  const tell = tellSteps(world);
  const file = resolve(out);
  needNewFile(file, '--out');
  const { own, other } = await pairOf(loaded, cluster, programs, world.signal);
  const keys = keySpaceOf(needFoundationdb(loaded.config).prefix);
  const [mine, others] = [openCluster(own.client), openCluster(other.client)];
  try {
    const counted = { onlyHere: 0, differ: 0, onlyThere: 0 };
    await saveLines(counting(differences({ db: mine, keys }, { db: others, keys }, world.signal), counted), file);
    const { onlyHere, differ, onlyThere } = counted;
    const keysIn = `${onlyHere} keys in ${own.name} alone, ${differ} in both with different values, ${onlyThere} in ${other.name} alone`;
    tell('saved', `${file}: ${keysIn}; which of two values is the later one only your application can tell`, { file, ...counted });
    return EXIT.ok;
  } finally {
    mine.close();
    others.close();
  }
}

interface Counted {
  onlyHere: number;
  differ: number;
  onlyThere: number;
}

/** As lines of the file. */
export async function* counting(rows: AsyncIterable<Differing>, counted: Counted): AsyncGenerator<string> {
  for await (const row of rows) {
    counted[row.other === null ? 'onlyHere' : row.value === null ? 'onlyThere' : 'differ'] += 1;
    yield JSON.stringify(row);
  }
}
