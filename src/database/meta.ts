import { z } from 'zod';
import { EngineError } from '../platform/errors.ts';

const count = z.number().int().nonnegative();
const metaShape = z.strictObject({
  format: z.literal(1),
  sealedEpoch: count,
  /** The live slot holds exactly the entries up to here. */
  appliedIndex: count,
  baseIndex: count,
  epochs: z.array(z.tuple([count, count])).readonly(),
  slot: z.union([z.literal(0), z.literal(1)]),
});

/** What is written with every transaction beside log and data. */
export type Meta = Readonly<Omit<z.infer<typeof metaShape>, 'epochs'>> & { readonly epochs: readonly (readonly [number, number])[] };

const EMPTY: Meta = { format: 1, sealedEpoch: 0, appliedIndex: 0, baseIndex: 0, epochs: [], slot: 0 };

export function encodeMeta(meta: Meta): Buffer {
  return Buffer.from(JSON.stringify(meta));
}

/** Throws `database-broken` for what is not ours; a file without it is an empty database. */
export function decodeMeta(buffer: Buffer | undefined): Meta {
  if (buffer === undefined) return EMPTY;
  try {
    return metaShape.parse(JSON.parse(buffer.toString('utf8')));
  } catch (cause) {
    throw new EngineError('database-broken', 'the database was written by another version or is damaged', cause);
  }
}
