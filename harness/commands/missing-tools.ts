import { HarnessError } from '../platform/errors.ts';
import { findFoundationdb, HOW, NO_PAIR_PROGRAMS } from '../platform/foundationdb-programs.ts';
import { findTool } from '../platform/tools.ts';
import type { LoadedScenario } from '../scenario/load.ts';

const TOOLS = { 'fake-gcs-server': '`backup.store: bucket`', k6: '`bulk`' } as const;
type Tool = keyof typeof TOOLS;

/** What a scenario needs that this machine does not have, with the fix; undefined: nothing. */
export function missingTools(
  { scenario }: LoadedScenario,
  find: (tool: string) => string | undefined = findTool,
  foundationdb: () => object | string = findFoundationdb,
): string | undefined {
  if (scenario.database === 'foundationdb') {
    const found = foundationdb();
    if (typeof found === 'string') return found;
    if (scenario.foundationdb === 'pair' && !('pair' in found)) return NO_PAIR_PROGRAMS;
  }
  const needed: readonly Tool[] = [
    ...(scenario.backup?.store === 'bucket' ? (['fake-gcs-server'] as const) : []),
    ...(scenario.method.some((step) => step.do === 'bulk') ? (['k6'] as const) : []),
  ];
  const missing = needed.filter((tool) => find(tool) === undefined);
  if (missing.length === 0) return undefined;
  return missing.map((tool) => `needs ${tool} (for ${TOOLS[tool]}), which is not installed; ./scripts/setup builds it with Go`).join('; ');
}

/**
 * Before anything is started. Throws HarnessError with every scenario that cannot be played here: `missing-tool` (inconclusive) where FoundationDB is not there, which set-up brings
 * only when it is told to, and not everywhere; else `bad-input`.
 */
export function refuseMissingTools(loaded: readonly LoadedScenario[], foundationdb?: () => object | string): void {
  const missing = loaded.flatMap((one) => {
    const what = missingTools(one, undefined, foundationdb);
    return what === undefined ? [] : [{ ...one, what }];
  });
  const told = (those: typeof missing): string => those.map(({ file, what }) => `${file}: ${what}`).join('\n');
  const buildable = missing.filter(({ scenario }) => scenario.database !== 'foundationdb');
  if (buildable.length > 0) throw new HarnessError('bad-input', told(buildable));
  if (missing.length > 0) throw new HarnessError('missing-tool', `inconclusive, nothing was started:\n${told(missing)}\n${HOW}`);
}
