import { InvalidArgumentError, Option, type Command } from 'commander';
import type { World } from './commands/world.ts';

interface Given {
  readonly seeds: number;
  readonly seed: number;
  readonly workers?: number;
  readonly keep?: readonly number[];
  readonly trace?: true;
  readonly wrongMachines?: true;
  readonly json?: true;
}

/** `simulate`, the engine tried by itself, and `policy`, what its numbers come to: both without a system. */
export function describeSimulation(program: Command, world: World, done: (code: number) => void): void {
  program
    .command('simulate')
    .description('run these programs in simulated worlds full of faults and check every promise; exits 0 kept, 1 broken')
    .option('--seeds <count>', 'how many worlds', parseCount, 1000)
    .option('--seed <first>', 'the first of them', parseCount, 1)
    .option('--workers <count>', 'threads; one for each processor unless told otherwise', parseCount)
    .option('--keep <positions>', 'only these faults of a seed, as a failing one was reported', parsePositions)
    .option('--trace', 'everything that the programs log')
    .addOption(
      new Option('--wrong-machines', 'the other way round: engines with one mistake each; exits 0 where a seed finds every one').conflicts([
        'keep',
        'trace',
      ]),
    )
    .option('--json', 'one JSON document')
    .addHelpText('after', '\nExample:\n  coditect-dr simulate --seeds 10000')
    .action(async ({ seeds, seed: firstSeed, workers, keep, trace, wrongMachines, json }: Given) => {
      if (wrongMachines === true) {
        const { proveSimulator } = await import('./commands/wrong-machines.ts');
        return done(await proveSimulator({ seeds, firstSeed, workers, json: json === true }, world));
      }
      const asked = { seeds, firstSeed, workers, keep: keep ?? null, trace: trace === true, json: json === true };
      return done(await (await import('./commands/simulate.ts')).runSimulation(asked, world));
    });
  program
    .command('policy')
    .description('show the numbers of a policy preset and what they make of a lost region')
    .addOption(new Option('--preset <name>', 'which').choices(['lab', 'production']).default('production'))
    .option('--ttl <seconds>', 'time to live of the name', parseSeconds, 30)
    .option('--json', 'one JSON document')
    .addHelpText('after', '\nExample:\n  coditect-dr policy --preset lab --ttl 1')
    .action(async ({ preset, ttl, json }: { preset: 'lab' | 'production'; ttl: number; json?: true }) =>
      done((await import('./commands/policy.ts')).showPolicy({ preset, ttlSeconds: ttl, json: json === true }, world)),
    );
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1 || count > 2 ** 31) throw new InvalidArgumentError('it must be a whole number from 1 on.');
  return count;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(seconds) || seconds < 0)
    throw new InvalidArgumentError('it must be a whole number of seconds.');
  return seconds;
}

function parsePositions(text: string): readonly number[] {
  if (text === 'none') return [];
  const positions = text.split(',').map((part) => (/^\d+$/.test(part) ? Number(part) : NaN));
  if (positions.every(Number.isSafeInteger)) return positions;
  throw new InvalidArgumentError('it must be a list such as 0,2 (or none).');
}
