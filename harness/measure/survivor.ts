import { DATABASE_ITSELF } from '../history/event.ts';
import { eventsOf, type Lined, type RunView } from './view.ts';

/**
 * The copy that says what survived: what the database itself holds, where it was asked past the engine; else that of the region that answered last. What that region calls itself plays no
 * part. Null: not readable.
 */
export function survivingCopy(view: RunView): Lined<'readback'> | null {
  const itself = eventsOf(view.events, 'readback').find(({ region }) => region === DATABASE_ITSELF);
  if (itself !== undefined) return itself.ok && itself.entries !== undefined ? itself : null;
  const last = view.operations.findLast((op) => op.outcome === 'ok' && op.region !== null);
  const copies = eventsOf(view.events, 'readback').filter((event) => event.ok && event.entries !== undefined);
  return copies.findLast((event) => event.region === last?.region) ?? null;
}
