import { eventsOf, type RunView } from './view.ts';

/** How many operations each client says that it sent, as its last word. Records of before there was an event for it have a note. */
export function issuedBy(view: RunView): ReadonlyMap<string, number> {
  const notes = eventsOf(view.events, 'note').flatMap(({ message }) => {
    const [, vantage, issued] = /^vantage (\S+) finished: (\d+) operations$/.exec(message) ?? [];
    return vantage === undefined ? [] : [[vantage, Number(issued)] as const];
  });
  return new Map([...notes, ...eventsOf(view.events, 'client-finished').map(({ vantage, issued }) => [vantage, issued] as const)]);
}
