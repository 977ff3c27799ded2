import type { Primitive } from '../platform.ts';
import { cutCommand } from './cuts.ts';
import { fakeClockLibrary } from './fake-clock.ts';
import type { App, Topology } from './topology.ts';

/** Programs that say their time in an answer, without which an effect on their clock could not be seen. */
const TELLS_TIME: readonly App[] = ['api', 'db', 'dr-controller'];

/** Why this lab cannot perform the primitive, or undefined. Pure. */
export function unsupported(topology: Topology, primitive: Primitive): string | undefined {
  const pods = 'from' in primitive ? [...primitive.from, ...primitive.to] : primitive.pods;
  const stranger = pods.find((name) => !topology.pods.some((pod) => pod.name === name));
  if (stranger !== undefined) return `there is no pod ${stranger} in the lab`;
  switch (primitive.act) {
    case 'cut':
    case 'cut-external':
    case 'lose':
      try {
        cutCommand('check', topology, [primitive]);
        return undefined;
      } catch (error) {
        return error instanceof RangeError ? error.message : String(error);
      }
    case 'container-kill': {
      const wrong = topology.pods.filter((pod) => pods.includes(pod.name) && !primitive.containers.includes(pod.app));
      const [first] = wrong;
      return first && `pod ${first.name} has no container ${primitive.containers.join(', ')}; it has ${first.app}`;
    }
    case 'pod-kill':
      return primitive.graceMs >= 0 ? undefined : `graceMs must not be negative: ${primitive.graceMs}`;
    case 'move-clock': {
      const mute = topology.pods.find((pod) => pods.includes(pod.name) && !TELLS_TIME.includes(pod.app));
      const library = fakeClockLibrary();
      if (mute !== undefined) return `nobody can see the clock of ${mute.name}; only ${TELLS_TIME.join(', ')} say their time`;
      return library.found ? undefined : library.why;
    }
    case 'freeze':
      return primitive.share > 0 && primitive.share <= 1 ? undefined : `share must be above 0 and at most 1: ${primitive.share}`;
    case 'pod-hold':
      return undefined;
  }
}
