import { InvalidArgumentError, Option, type Command } from 'commander';
import type { World } from './commands/world.ts';
import type { LoadedConfig } from './config/load.ts';

/** What the commands of an operator are made with. */
export interface Tools {
  readonly world: World;
  readonly config: Option;
  readonly load: (file: string) => Promise<LoadedConfig>;
  readonly done: (code: number) => void;
}

/** Adds a command with the options that all of them have. */
export type AddCommand = (name: string, says: string, example: string) => Command;

export const OUTCOMES = 'exits 0 done, 1 not done, 3 undecided when the time was over';

/** Who orders something, for the record. */
export function byOption(environment: World['environment']): Option {
  return new Option('--by <name>', 'who orders it, for the record').default(
    environment['USER'] ?? environment['LOGNAME'] ?? 'operator',
    'the user who is logged in',
  );
}

export function lossOption(): Option {
  return new Option(
    '--accept-data-loss <seconds>',
    'the consent: up to so many seconds of writes may be lost; "any", however many, where nobody can know',
  ).argParser(parseLoss);
}

/** Data of a large database is copied for hours; the command may be given again. */
const COPYING_MS = 3_600_000;

/** Of an order that FoundationDB needs its time for. */
export function copyingPatienceOption(): Option {
  return new Option('--patience <duration>', 'how long FoundationDB may take; after that the same command goes on')
    .argParser(parseDuration)
    .default(COPYING_MS, '1h');
}

export function fdbcliOption(): Option {
  return new Option('--fdbcli <file>', "FoundationDB's own program, of the cluster's version").default('fdbcli');
}

/** Of FoundationDB's regions, where nobody can ever know. */
export function anyLossOption(says: string): Option {
  return new Option('--accept-data-loss <any>', says).argParser(parseAny);
}

function parseAny(text: string): 'any' {
  if (text === 'any') return text;
  throw new InvalidArgumentError(
    'how much may be lost is not known (in such an outage FoundationDB tells a lag of 0, whatever it was): only --accept-data-loss=any goes on',
  );
}

function parseLoss(text: string): number | 'any' {
  if (text === 'any') return text;
  const seconds = Number(text);
  if (!/^(\d+\.?\d*|\.\d+)$/.test(text) || !Number.isFinite(seconds))
    throw new InvalidArgumentError(`${text} is no number of seconds; write for example 2.5, or any`);
  return seconds;
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A pause that nobody ends for so long is a setting of the policy, no pause. */
const LONGEST_MS = 30 * 86_400_000;

export function parseDuration(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(s|m|h|d)$/.exec(text.trim());
  const forMs = found === null ? 0 : Math.round(Number(found[1]) * (UNITS[found[2] as string] as number));
  if (forMs <= 0 || forMs > LONGEST_MS)
    throw new InvalidArgumentError(`${text} is no duration up to 30d; write for example 90s, 30m or 2h`);
  return forMs;
}

/** Of two values for one thing commander takes the last without a word. A flag that is said twice says the same. */
export function refuseRepeated(command: Command): void {
  for (const option of command.options.filter(({ required, optional, variadic }) => (required || optional) && !variadic)) {
    let given = false;
    command.on(`option:${option.name()}`, () => {
      if (given) command.error(`error: option '${option.flags}' is given twice: leave one of them out`);
      given = true;
    });
  }
  command.commands.forEach(refuseRepeated);
}
