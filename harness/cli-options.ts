import { InvalidArgumentError, Option, type Command } from 'commander';
import { ASKED_DATABASES } from './scenario/scenario.ts';

export const EXIT_CODES = `
Exit codes: 0 pass, 1 fail, 2 bad input, 3 inconclusive or broken off, 130 interrupted and healed.`;

export const example = (...lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;

/** How often something can be asked for; more is a mistyped number. */
export const MOST = 10_000;

export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const what = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`must be a whole number ${what}.`);
    return value;
  };
}

export function oneOf<Name extends string>(...allowed: readonly Name[]): (text: string) => Name {
  return (text) => {
    if (!allowed.some((one) => one === text)) throw new InvalidArgumentError(`must be one of ${allowed.join(', ')}.`);
    return text as Name;
  };
}

/** What scenarios are played on, or had to be. */
export function databaseOption(): Option {
  return new Option('--database <name>', `instead of what the scenario says: ${ASKED_DATABASES.join(', ')}`).argParser(
    oneOf(...ASKED_DATABASES),
  );
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
