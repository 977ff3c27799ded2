import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemClock } from '../platform/clock.ts';
import { runCorruption } from './backup-corruption.ts';
import { runFuzz } from './backup-fuzz.ts';

/** `./scripts/bench backup-corruption [--inputs 1000000] [--step 1]`. Result: reports/benchmarks/backup-corruption.json and .md. */
const { values } = parseArgs({ options: { inputs: { type: 'string', default: '1000000' }, step: { type: 'string', default: '1' } } });
const say = (line: string): void => void process.stderr.write(`${line}\n`);
let lines: readonly string[];
let document: object;
try {
  const fuzz = await runFuzz(Number(values.inputs), Math.random);
  const corruption = await runCorruption(Number(values.step), say);
  document = { passed: true, corruption, fuzz };
  lines = [
    `${corruption.changes} changes (each byte two ways, cuts, swaps, missing objects) in ${corruption.objects} objects of ${corruption.repositoryBytes} bytes:`,
    `${corruption.refused} refused, ${corruption.harmless} harmless (in ${corruption.harmlessIn.join(', ')}), 0 gave other content.`,
    '',
    `${fuzz.inputs} inputs to the decoders: ${fuzz.refused} refused, ${fuzz.accepted} taken, no crash; slowest ${fuzz.slowestMs} ms, memory grew by ${Math.round(fuzz.growthBytes / 1e6)} MB.`,
  ];
} catch (error) {
  document = { passed: false, problem: (error as Error).stack };
  lines = [`FAILED: ${(error as Error).message}`];
  process.exitCode = 1;
}
mkdirSync('reports/benchmarks', { recursive: true });
const at = systemClock.wall().toISOString();
writeFileSync('reports/benchmarks/backup-corruption.json', `${JSON.stringify({ name: 'backup-corruption', at, ...document }, null, 2)}\n`);
writeFileSync('reports/benchmarks/backup-corruption.md', `# Damaged backups\n\n${lines.join('\n')}\n`);
say(lines.join('\n'));
