import { Command, InvalidArgumentError } from 'commander';
import { EXIT } from '../commands/world.ts';

/**
 * The options of `./scripts/bench NAME`, read before anything is done: where one is wrong, or there is none of that name, that is told in a line and the program ends with exit code 2. So no published
 * report is ever overwritten by what nobody asked for. `describe` adds the options.
 */
export function benchOptions<Options extends object>(name: string, describe: (command: Command) => unknown): Options {
  const command = new Command(`./scripts/bench ${name}`);
  describe(command);
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.ok : EXIT.badInput));
  return command.parse().opts();
}

/** A whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`it must be a whole number from ${least} on.`);
  };
}

/** One number within these limits. */
export function numberWithin(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`it must be a number from ${least} to ${most}.`);
  };
}

/** Numbers with commas between them, each within these limits. */
export function numberList(least: number, most: number): (text: string) => readonly number[] {
  return (text) =>
    text.split(',').map((part) => {
      const value = Number(part);
      if (part.trim() !== '' && value >= least && value <= most) return value;
      throw new InvalidArgumentError(`it must be numbers from ${least} to ${most}, with commas between them.`);
    });
}

/** Some of these words, with commas between them. */
export function wordList<Word extends string>(allowed: readonly Word[]): (text: string) => readonly Word[] {
  return (text) =>
    text.split(',').map((part) => {
      const word = allowed.find((one) => one === part);
      if (word !== undefined) return word;
      throw new InvalidArgumentError(`it must be some of ${allowed.join(',')}.`);
    });
}
