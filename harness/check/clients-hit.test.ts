import { expect } from 'chai';
import type { RunEvent } from '../history/event.ts';
import type { RunView } from '../measure/view.ts';
import { clientsHit } from './clients-hit.ts';

const planned = (fault: string) => ({
  kind: 'fault-planned',
  fault,
  manifestKind: 'PodChaos',
  sources: [{ pod: 'client-outside-0', region: 'outside' }],
});
const injected = (fault: string, requestedMs: number) => ({ kind: 'fault-injected', fault, requestedMs });
const EVENTS = [planned('second'), injected('second', 7), planned('first'), injected('first', 3)] as unknown as readonly RunEvent[];
const viewOf = (started: object): RunView => ({ started, events: EVENTS }) as unknown as RunView;

describe('clients that a fault killed', () => {
  it('are those in pods of the lab; a pod of somebody that is called like one is none', () => {
    expect([...clientsHit(viewOf({}))], 'when for the first time').to.deep.equal([['outside', 3]]);
    expect([...clientsHit(viewOf({ ledger: 'templates' })).keys()]).to.deep.equal([]);
  });
});
