import type { ObjectStore, StoredObject } from '../objectstore/object-store.ts';
import { EngineError } from '../platform/errors.ts';

/** All objects of a store, in memory. */
export async function objectsOf(store: ObjectStore): Promise<ReadonlyMap<string, Buffer>> {
  const objects = new Map<string, Buffer>();
  for await (const { name, bytes } of store.list('')) {
    const found = await store.get(name, { maxBytes: bytes });
    if (found.outcome === 'found') objects.set(name, found.body);
  }
  return objects;
}

/** The objects, some of them replaced or gone, to be read only. */
export function memoryStore(objects: ReadonlyMap<string, Buffer>, changed: ReadonlyMap<string, Buffer | null>): ObjectStore {
  const bodyOf = (name: string): Buffer | null => (changed.has(name) ? (changed.get(name) ?? null) : (objects.get(name) ?? null));
  const describe = (name: string, body: Buffer): StoredObject => ({ name, bytes: body.length, crc32c: null, generation: '1' });
  const readOnly = (): Promise<never> => Promise.reject(new Error('read only'));
  return {
    supports: { conditionalReplace: false, storedChecksums: false },
    put: readOnly,
    delete: readOnly,
    stat: (name) => {
      const body = bodyOf(name);
      return Promise.resolve(body === null ? null : describe(name, body));
    },
    get: (name, { range, maxBytes }) => {
      const body = bodyOf(name);
      if (body === null) return Promise.resolve({ outcome: 'not-found' });
      const part = range === undefined ? body : body.subarray(range.begin, range.end);
      if (part.length > maxBytes) return Promise.reject(new EngineError('object-store-failed', 'too large'));
      return Promise.resolve({ outcome: 'found', body: Buffer.from(part), generation: '1' });
    },
    list: async function* (prefix) {
      for (const name of [...objects.keys()].toSorted()) {
        const body = bodyOf(name);
        if (name.startsWith(prefix) && body !== null) yield describe(name, body);
      }
    },
  };
}
