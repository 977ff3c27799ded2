import type { EngineConfig } from '../config/config.ts';
import { othersOf, type Claimant } from '../server/claim.ts';
import type { Fence } from './fence.ts';

/** A region's gateway, by what the fence in its database says. */
export function claimantOf(
  config: EngineConfig,
  { incarnation, mode, fence }: { readonly incarnation: string; readonly mode: Claimant['mode']; readonly fence: Fence },
): Claimant {
  const { epoch, servedEpoch, restored, version } = fence;
  return {
    region: config.region,
    incarnation,
    primaryRegion: config.primary_region,
    others: othersOf(config),
    mode,
    // A key space that was never served is as empty as a new disk.
    end: { epoch: servedEpoch, index: servedEpoch === 0 && !restored ? 0 : version },
    sealedEpoch: epoch,
    // A restore leaves the highest epoch of its repository as the fence: what is served now is above it.
    restored: restored ? { epoch: servedEpoch, index: version, highestEpoch: epoch } : null,
  };
}
