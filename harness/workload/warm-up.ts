/** A cold system gets a second of every 8th tick and one of every 3rd, before the whole load; nothing is judged before it is steady. */
const STEPS = [
  { untilTick: 50, every: 8 },
  { untilTick: 100, every: 3 },
];

/** From this tick on a client sends at every tick: only then is an interval as narrow as its probe period. */
export const WARM_TICKS = 100;

/** Whether a client that begins at tick 0 sends at this one. */
export function sendsAt(tick: number): boolean {
  const every = STEPS.find(({ untilTick }) => tick < untilTick)?.every ?? 1;
  return tick % every === 0;
}
