import { eventsOf, type Lined, type RunView } from './view.ts';

/** The copy of the region that answered last, which says what survived; what that region calls itself plays no part. Null: not readable. */
export function survivingCopy(view: RunView): Lined<'readback'> | null {
  const last = view.operations.findLast((op) => op.outcome === 'ok' && op.region !== null);
  const copies = eventsOf(view.events, 'readback').filter((event) => event.ok && event.entries !== undefined);
  return copies.findLast((event) => event.region === last?.region) ?? null;
}
