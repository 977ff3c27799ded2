import { registerHooks } from 'node:module';

/** One line of the engine changed: what a slip of the pen could have made of it. */
interface Change {
  /** The module below src/, as it is built. */
  readonly module: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly put: string;
}

/** The engine with one line changed. */
export interface WrongMachine extends Change {
  readonly name: string;
  /** A second line, in another module: the engine keeps a promise twice, and with either line right it is kept. */
  readonly and?: Change;
}

/**
 * Lets this thread load the wrong machine instead of the engine: the text is changed as the module is loaded, the build stays as it is. To be called before anything of the
 * engine is imported. Where the text is not there the import throws: the engine has changed and the wrong machine must follow.
 */
export function loadWrong({ name, and, ...change }: WrongMachine): void {
  loadChanged(name, change);
  if (and !== undefined) loadChanged(name, and);
}

function loadChanged(name: string, { module, find, put }: Change): void {
  const url = new URL(`../${module}`, import.meta.url).href;
  registerHooks({
    load(asked, context, next) {
      const loaded = next(asked, context);
      if (asked !== url) return loaded;
      const text = Buffer.from(loaded.source as Uint8Array).toString();
      const places = text.split(find).length - 1;
      if (places !== 1) throw new RangeError(`wrong machine ${name}: its text is ${places} times in ${module}, not once`);
      return { ...loaded, source: text.replace(find, () => put) };
    },
  });
}
