import type { ObjectStore } from '../../objectstore/object-store.ts';
import { EngineError, isEngineError } from '../../platform/errors.ts';
import { decodeKeyWrap, MAX_KEY_WRAP_BYTES, type KeyWrap } from '../format/key-wrap.ts';
import { isKeyWrapName } from '../format/object-name.ts';

export interface StoredWrap {
  readonly name: string;
  readonly generation: string;
  readonly wrap: KeyWrap;
}

export interface Wraps {
  readonly wraps: readonly StoredWrap[];
  /** Keys of which no wrap is whole: what is wrong with one of them. */
  readonly damaged: ReadonlyMap<string, EngineError>;
  /** What is no wrap and has no name of one: nothing is under it. */
  readonly strays: readonly string[];
}

/** All wraps there are, also of repositories that were never finished. One that is damaged is left out where another has the same key: it must not keep that from opening. */
export async function readWraps(store: ObjectStore, signal?: AbortSignal): Promise<Wraps> {
  const options = signal === undefined ? {} : { signal };
  const wraps: StoredWrap[] = [];
  const unread = new Map<string, EngineError>();
  for await (const { name, generation, bytes } of store.list('keys/', options)) {
    if (bytes > MAX_KEY_WRAP_BYTES) {
      unread.set(name, new EngineError('backup-damaged', `${name} has ${bytes} bytes, more than any key wrap`));
      continue;
    }
    const found = await store.get(name, { maxBytes: MAX_KEY_WRAP_BYTES, ...options });
    if (found.outcome === 'not-found') continue;
    try {
      wraps.push({ name, generation, wrap: decodeKeyWrap(name, found.body) });
    } catch (error) {
      if (!isEngineError(error, 'backup-damaged')) throw error;
      unread.set(name, error);
    }
  }
  const whole = new Set(wraps.map(({ name }) => folderOf(name)));
  const damaged = [...unread].filter(([name]) => isKeyWrapName(name) && !whole.has(folderOf(name)));
  return {
    wraps,
    damaged: new Map(damaged.map(([name, error]) => [folderOf(name).slice('keys/'.length), error])),
    strays: [...unread.keys()].filter((name) => !isKeyWrapName(name)),
  };
}

/** @throws EngineError backup-damaged where one is damaged that is the only one of its key: which key that is, and whether it is the newest, nobody can tell */
export async function listWraps(store: ObjectStore, signal?: AbortSignal): Promise<readonly StoredWrap[]> {
  const { wraps, damaged } = await readWraps(store, signal);
  for (const error of damaged.values()) throw error;
  return wraps;
}

function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/'));
}
