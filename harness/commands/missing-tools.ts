import { HarnessError } from '../platform/errors.ts';
import { findTool } from '../platform/tools.ts';
import type { LoadedScenario } from '../scenario/load.ts';

const TOOLS = { 'fake-gcs-server': '`backup.store: bucket`', k6: '`bulk`' } as const;
type Tool = keyof typeof TOOLS;

/** What a scenario needs that this machine does not have, with the fix; undefined: nothing. */
export function missingTools({ scenario }: LoadedScenario, find: (tool: string) => string | undefined = findTool): string | undefined {
  const needed: readonly Tool[] = [
    ...(scenario.backup?.store === 'bucket' ? (['fake-gcs-server'] as const) : []),
    ...(scenario.method.some((step) => step.do === 'bulk') ? (['k6'] as const) : []),
  ];
  const missing = needed.filter((tool) => find(tool) === undefined);
  if (missing.length === 0) return undefined;
  return missing.map((tool) => `needs ${tool} (for ${TOOLS[tool]}), which is not installed; ./scripts/setup builds it with Go`).join('; ');
}

/** Before anything is started. Throws HarnessError `bad-input` with every scenario that cannot be played here. */
export function refuseMissingTools(loaded: readonly LoadedScenario[]): void {
  const problems = loaded.flatMap((one) => {
    const missing = missingTools(one);
    return missing === undefined ? [] : [`${one.file}: ${missing}`];
  });
  if (problems.length > 0) throw new HarnessError('bad-input', problems.join('\n'));
}
