import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { systemClock } from '../platform/clock.ts';
import { EXIT } from '../platform/errors.ts';
import { calibrationText } from '../testing/calibration-gate.ts';
import { calibrate } from './calibrate.ts';
import { publish } from './publish.ts';

/** `./scripts/bench`: the statistical runs. Exit codes as `gameday`. */
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)));

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1 is needed.');
  return value;
}

const program = new Command('bench').exitOverride();
program
  .command('calibrate')
  .description('known outages of 5 000 ms and 200 ms, and what the harness measures of them')
  .option('--n <count>', 'outages of each length', positive, 30)
  .option('--lanes <count>', 'devices at the same time', positive, 3)
  .action(async ({ n, lanes }: { readonly n: number; readonly lanes: number }) => {
    const originNs = process.hrtime.bigint();
    const clock = systemClock(originNs);
    const { samples, verdict } = await calibrate({
      n,
      lanes,
      clock,
      originNs,
      random: Math.random,
      signal: interrupted.signal,
      progress: say,
    });
    const text = calibrationText(verdict);
    process.stdout.write(`${text}\n`);
    const path = await publish('calibrate', { verdict, samples }, `\`\`\`\n${text}\n\`\`\``);
    say(`written: ${path}.md and .json`);
    process.exitCode = EXIT[verdict.outcome];
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.pass : EXIT.badInput;
  else {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = interrupted.signal.aborted ? EXIT.interrupted : EXIT.fail;
  }
}
