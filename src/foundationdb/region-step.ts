import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fdbcli, type Fdbcli, type FdbcliResult } from './fdbcli.ts';
import type { RegionStep } from './region-plan.ts';

const CONFIGURE_MS = 60_000;

/** Makes one change of the configuration. What came of it the status tells. */
export async function configure(cli: Fdbcli, step: RegionStep, signal: AbortSignal): Promise<FdbcliResult> {
  const force = step.unchecked ? 'FORCE ' : '';
  if (step.kind === 'usable-regions') return await fdbcli(cli, `configure ${force}usable_regions=${step.count}`, CONFIGURE_MS, signal);
  return await fileconfigure(cli, force, { regions: step.regions }, signal);
}

/** @param how what stands before the file: `new `, `FORCE ` or nothing */
export async function fileconfigure(cli: Fdbcli, how: string, configuration: object, signal: AbortSignal): Promise<FdbcliResult> {
  const folder = mkdtempSync(join(tmpdir(), 'coditect-dr-configuration-'));
  try {
    const file = join(folder, 'configuration.json');
    writeFileSync(file, JSON.stringify(configuration));
    return await fdbcli(cli, `fileconfigure ${how}${file}`, CONFIGURE_MS, signal);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
