import { systemClock } from '../platform/clock.ts';
import { runCorruption, type CorruptionResult } from './backup-corruption.ts';
import { runFuzz, type FuzzResult } from './backup-fuzz.ts';
import { benchOptions, wholeNumber } from './bench-options.ts';
import { publishBench } from './bench-report.ts';

/** `./scripts/bench backup-corruption [--inputs 1000000] [--step 1] [--restore-each 50]`. Result: reports/benchmarks/backup-corruption.json and .md. */
const options = benchOptions<{ inputs: number; step: number; restoreEach: number }>('backup-corruption', (command) =>
  command
    .option('--inputs <count>', 'inputs to the decoders', wholeNumber(1), 1_000_000)
    .option('--step <count>', 'of so many bytes one is changed', wholeNumber(1), 1)
    .option('--restore-each <count>', 'of so many changes one is restored', wholeNumber(1), 50),
);
const startMs = systemClock.monotonicMs();
let fuzz: FuzzResult | null = null;
let corruption: CorruptionResult | null = null;
let problem: string | null = null;
try {
  fuzz = await runFuzz(options.inputs, Math.random);
  const onLine = (line: string): void => void process.stderr.write(`${line}\n`);
  corruption = await runCorruption({ step: options.step, restoreEach: options.restoreEach, onLine });
} catch (error) {
  problem = (error as Error).stack ?? String(error);
}
publishBench({
  name: 'backup-corruption',
  title: 'Damaged backups',
  problem,
  data: { seconds: Math.round((systemClock.monotonicMs() - startMs) / 1000), corruption, fuzz },
  lines: [...(corruption === null ? [] : ofCorruption(corruption)), '', ...(fuzz === null ? [] : ofFuzz(fuzz))],
});

function ofCorruption(result: CorruptionResult): readonly string[] {
  const { changes, objects, repositoryBytes, refused, harmless, harmlessIn, restores, restoresRefused } = result;
  return [
    `A repository of ${objects} objects, ${repositoryBytes} bytes: two backups, the second incremental, a log after them, two wraps of the epoch key, a hold, a verification, a tombstone, a mark.`,
    `${changes} changes (each byte two ways, cuts, continuations, each object missing, each two swapped); after each, both backups were read, the log followed, the hold asked:`,
    `${refused} refused with an error that is expected, ${harmless} harmless (all content right; in ${harmlessIn.join(', ')}), 0 gave other content.`,
    `${restores} of them restored into a database: ${restoresRefused} refused, the database empty after it; ${restores - restoresRefused} whole; 0 left a part live.`,
  ];
}

function ofFuzz({ inputs, refused, accepted, slowestMs, memoryBytes }: FuzzResult): readonly string[] {
  return [
    `${inputs} inputs to the decoders (valid ones with bytes changed, cut, doubled, moved): ${refused} refused, ${accepted} taken, none crashed or hung; slowest ${slowestMs} ms of CPU.`,
    `Memory in use after each tenth, MB: ${memoryBytes.map((bytes) => Math.round(bytes / 1e6)).join(', ')}.`,
  ];
}
