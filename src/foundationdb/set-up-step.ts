import { fdbcli, type Fdbcli, type FdbcliResult } from './fdbcli.ts';
import { newDatabase, type Layout } from './layout.ts';
import { configure, fileconfigure } from './region-step.ts';
import type { SetUpStep } from './set-up-plan.ts';

const CONFIGURE_MS = 60_000;

/** Makes one step of a set-up. What came of it the status tells. */
export async function makeStep(cli: Fdbcli, layout: Layout, step: SetUpStep, signal: AbortSignal): Promise<FdbcliResult> {
  switch (step.kind) {
    case 'create':
      return await fileconfigure(cli, 'new ', newDatabase(layout), signal);
    case 'regions':
      return await fileconfigure(cli, '', { regions: belowZeroBut(layout, step.first) }, signal);
    case 'redundancy':
      return await fdbcli(cli, `configure ${step.mode}`, CONFIGURE_MS, signal);
    case 'coordinators':
      return await fdbcli(cli, `coordinators ${step.addresses.join(' ')}`, CONFIGURE_MS, signal);
    case 'priorities':
    case 'usable-regions':
      return await configure(cli, step, signal);
  }
}

function belowZeroBut(layout: Layout, first: string): object {
  if (layout.kind !== 'regions') return [];
  return layout.regions.map((region) => ({
    ...region,
    datacenters: region.datacenters.map((one) => (one.satellite === 1 ? one : { ...one, priority: one.id === first ? 1 : -1 })),
  }));
}
