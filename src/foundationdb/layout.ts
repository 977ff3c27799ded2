import { z } from 'zod';
import { complain, complaintsOf } from '../config/complaints.ts';
import { EngineError } from '../platform/errors.ts';
import { regionsProblems, type ConfiguredRegion } from './regions.ts';

/** How a cluster of three data centres is to be laid out; deploy/foundationdb/README.md says what each survives. */
export type Layout =
  | { readonly kind: 'three_datacenter' }
  /** Copies in each of two regions, the newest log of both in a satellite. */
  | { readonly kind: 'regions'; readonly redundancy: 'single' | 'double' | 'triple'; readonly regions: readonly ConfiguredRegion[] };

const STORAGE_ENGINE = 'ssd-2';

const dataCenter = z.strictObject({
  /** It stands in a file that fdbcli reads, and in messages. */
  id: z.string().regex(/^[\w.:-]+$/, 'letters, digits, . _ : and -'),
  priority: z.int(),
  satellite: z.literal(1).optional(),
});
const region = z.strictObject({
  datacenters: z.array(dataCenter).min(1),
  satellite_redundancy_mode: z.enum(['one_satellite_single', 'one_satellite_double']),
  satellite_logs: z.int().min(1),
});
const fileShape = z.strictObject({
  redundancy_mode: z.enum(['single', 'double', 'triple']).default('double'),
  regions: z.array(region),
});

export const THREE_DATA_CENTERS = 'three_datacenter';

/**
 * Of the text of a file as `fdbcli fileconfigure` takes it (deploy/foundationdb/regions.json).
 * @throws EngineError bad-config with the file, the field and what is wrong
 */
export function parseLayout(text: string, file: string): Layout {
  const bad = (why: string): EngineError => new EngineError('bad-config', `${file}: ${why}`);
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (cause) {
    throw new EngineError('bad-config', `${file}: is no JSON: ${(cause as Error).message}`, cause);
  }
  const parsed = fileShape.safeParse(given, { error: complain });
  if (!parsed.success)
    throw bad(
      complaintsOf(parsed.error.issues)
        .map(({ path, text }) => `${path.join('.') || 'the file'}: ${text}`)
        .join('; '),
    );
  const { redundancy_mode: redundancy, regions } = parsed.data;
  const problems = regionsProblems(regions);
  if (problems.length > 0) throw bad(problems.join('; '));
  return { kind: 'regions', redundancy, regions };
}

/** What `fdbcli` makes a new database of. */
export function newDatabase(layout: Layout): object {
  if (layout.kind === 'three_datacenter') return { redundancy_mode: 'three_datacenter', storage_engine: STORAGE_ENGINE };
  return { redundancy_mode: layout.redundancy, storage_engine: STORAGE_ENGINE, usable_regions: 2, regions: layout.regions };
}

/** The data centre that is to be the primary; the other one; and who keeps the logs of both. */
export function homesOf(regions: readonly ConfiguredRegion[]): readonly { readonly id: string; readonly priority: number }[] {
  return regions
    .flatMap(({ datacenters }) => datacenters.filter(({ satellite }) => satellite !== 1))
    .toSorted((a, b) => b.priority - a.priority);
}
