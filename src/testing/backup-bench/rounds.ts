import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Contender, Operation, Place } from './contenders.ts';
import { changeDataset, type Dataset } from './dataset.ts';
import { measure, type Memory } from './measure.ts';

/** One measurement. */
export interface Figure {
  readonly round: number;
  readonly contender: string;
  readonly operation: Operation | 'limit';
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peak: Memory | null;
  /** In the store afterwards. */
  readonly storedBytes: number | null;
}

export interface RoundsOptions {
  readonly dataset: Dataset;
  readonly contenders: readonly Contender[];
  readonly operations: readonly Operation[];
  readonly withLimit: boolean;
  readonly rounds: number;
  /** Stores and targets are made in it. */
  readonly folder: string;
  /** Number of the state that the data is changed into next; a new one each round. */
  readonly firstVersion: number;
  readonly onLine: (line: string) => void;
  /** All figures so far, after each round. */
  readonly onRound: (figures: readonly Figure[]) => void;
}

const LIMIT_PROGRAM = resolve(import.meta.dirname, '../backup-limit-program.js');
const LIMIT_BYTES = 2 ** 30;
const THREADS = 2;
const BEFORE_CHANGE: readonly Operation[] = ['backup', 'unchanged'];

/**
 * Rounds of all contenders on the same bytes, each in a new store. The order turns with each round, and within a round what is done before and after the change of the
 * data is done by all. What an operation needs to have been done is done although it was not asked for.
 */
export async function runRounds(options: RoundsOptions): Promise<void> {
  const { contenders, operations, dataset, rounds, folder } = options;
  const figures: Figure[] = [];
  for (let round = 0; round < rounds; round++) {
    const turned = [...contenders.slice(round % contenders.length), ...contenders.slice(0, round % contenders.length)];
    const order = Math.floor(round / contenders.length) % 2 === 0 ? turned : turned.toReversed();
    const places = new Map(order.map((contender) => [contender, placeOf(folder, dataset, contender)]));
    const act = async (contender: Contender, operation: Operation): Promise<void> => {
      figures.push(await measured(round, contender, operation, places.get(contender)!));
      options.onLine(lineOf(figures.at(-1)!, dataset.bytes));
    };
    try {
      if (options.withLimit) {
        figures.push(await measuredLimit(round, dataset));
        options.onLine(lineOf(figures.at(-1)!, dataset.bytes));
      }
      for (const contender of order) {
        await measure(contender.prepare(places.get(contender)!), contender.env(places.get(contender)!));
        for (const operation of BEFORE_CHANGE)
          if (operation === 'backup' || operations.includes(operation)) await act(contender, operation);
      }
      const after = operations.filter((operation) => !BEFORE_CHANGE.includes(operation));
      if (after.length > 0) await changeDataset(dataset, options.firstVersion + round);
      for (const contender of order) {
        const place = places.get(contender)!;
        if (after.length === 0) continue;
        if (contender.refresh !== undefined) await measure(contender.refresh(place), contender.env(place));
        for (const operation of new Set<Operation>(['changed', ...after])) await act(contender, operation);
        rmSync(place.target, { recursive: true, force: true });
      }
    } finally {
      for (const place of places.values())
        for (const path of [place.folder, place.store, place.target]) rmSync(path, { recursive: true, force: true });
    }
    options.onRound(figures);
  }
}

function placeOf(folder: string, dataset: Dataset, { name }: Contender): Place {
  const own = join(folder, name);
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own, { recursive: true });
  return { dataset, folder: join(own, 'own'), store: join(own, 'store'), target: join(own, 'target') };
}

async function measured(round: number, contender: Contender, operation: Operation, place: Place): Promise<Figure> {
  const { wallMs, cpuMs, peak } = await measure(contender.script(operation, place), contender.env(place));
  return { round, contender: contender.name, operation, wallMs, cpuMs, peak, storedBytes: bytesIn(place.store) };
}

/** Counted for as many bytes as the data has, so that it compares with the others. */
async function measuredLimit(round: number, { databaseFolder, bytes }: Dataset): Promise<Figure> {
  const { stdout } = await measure(`'${process.execPath}' '${LIMIT_PROGRAM}' '${databaseFolder}' ${LIMIT_BYTES} ${THREADS}`, {});
  const limit = JSON.parse(stdout) as { readonly bytes: number; readonly wallMs: number; readonly cpuMs: number };
  const share = bytes / limit.bytes;
  return {
    round,
    contender: 'limit',
    operation: 'limit',
    wallMs: limit.wallMs * share,
    cpuMs: limit.cpuMs * share,
    peak: null,
    storedBytes: null,
  };
}

function bytesIn(folder: string): number {
  let sum = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) sum += statSync(join(entry.parentPath, entry.name)).size;
  return sum;
}

function lineOf({ round, contender, operation, wallMs, cpuMs, peak, storedBytes }: Figure, bytes: number): string {
  const rate = (ms: number): string => (bytes / 1000 / ms).toFixed(0).padStart(5);
  const memory =
    peak === null ? '' : `, peak ${(peak.totalBytes / 2 ** 20).toFixed(0)} MiB (own ${(peak.anonymousBytes / 2 ** 20).toFixed(0)})`;
  const stored = storedBytes === null ? '' : `, stored ${(storedBytes / 1e6).toFixed(0)} MB`;
  return `${round + 1} ${contender.padEnd(14)} ${operation.padEnd(9)} ${(wallMs / 1000).toFixed(2).padStart(6)} s, ${rate(wallMs)} MB/s, ${rate(cpuMs)} MB per CPU-second${memory}${stored}`;
}
