import { HarnessError } from '../platform/errors.ts';
import { engineRegions, engineUrl } from './endpoints.ts';
import { decodeCopy, type Observed } from './observe.ts';

const EXPORT_TIMEOUT_MS = 10_000;

/**
 * A system that was there before may hold data that this run did not write: its ledger would take them for writes out of nowhere. Throws
 * HarnessError `lab-failed` with what there is; a region that does not answer says nothing, and is found by what follows.
 */
export async function refuseUsed({ operator, pods }: Pick<Observed, 'operator' | 'pods'>): Promise<void> {
  for (const region of engineRegions(pods)) {
    const { status, body } = await operator.get(engineUrl(pods, 'api', region, '/v1/export'), EXPORT_TIMEOUT_MS);
    const keys = Object.keys(decodeCopy(status, body).entries ?? {}).filter((key) => !key.startsWith('.'));
    if (keys.length > 0)
      throw new HarnessError(
        'lab-failed',
        `${region} holds ${keys.length} entries already (${keys[0]}): a game day needs a system without data; empty it, or start it anew`,
      );
  }
}
