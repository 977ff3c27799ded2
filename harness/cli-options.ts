import { InvalidArgumentError, Option } from 'commander';
import { ASKED_DATABASES } from './scenario/scenario.ts';

export const EXIT_CODES = `
Exit codes: 0 pass, 1 fail, 2 bad input, 3 inconclusive or broken off, 130 interrupted and healed.`;

export const example = (...lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;

export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`must be a whole number of at least ${least}.`);
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
