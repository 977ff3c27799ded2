import { progressPrinter } from '../backup/pipeline/progress.ts';
import { systemClock } from '../platform/clock.ts';
import type { World } from './world.ts';

/** How a backup command shows that it goes on: on the error channel, so that its answer stays clean. */
export function commandProgress({ err }: Pick<World, 'err'>): ReturnType<typeof progressPrinter> {
  return progressPrinter(err, process.stderr.isTTY === true, () => systemClock.monotonicMs());
}
