import { expect } from 'chai';
import type { FaultPlanned } from '../history/event.ts';
import type { RunView } from '../measure/view.ts';
import { clientsHit } from './clients-hit.ts';

const planned = { kind: 'fault-planned', manifestKind: 'PodChaos', sources: [{ pod: 'client-outside-0', region: 'outside' }] };
const viewOf = (started: object): RunView => ({ started, events: [planned as unknown as FaultPlanned] }) as unknown as RunView;

describe('clients that a fault killed', () => {
  it('are those in pods of the lab; a pod of somebody that is called like one is none', () => {
    expect([...clientsHit(viewOf({}))]).to.deep.equal(['outside']);
    expect([...clientsHit(viewOf({ ledger: 'templates' }))]).to.deep.equal([]);
  });
});
