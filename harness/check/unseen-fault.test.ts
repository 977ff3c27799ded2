import { expect } from 'chai';
import type { EventBody, FaultEffect, RunEvent } from '../history/event.ts';
import { judgeUnseen } from '../fault/unseen-effect.ts';
import { parseEvents } from '../history/reader.ts';
import { reportPage } from '../report/html/page.ts';
import { toResultDocument } from '../report/result.ts';
import { at, failoverHistory, SCENARIO } from '../testing/handmade.ts';
import { judged, objections, outcomeOf, sorted, withScenario } from '../testing/judged.ts';

const FAULT = 'isolation';
const expected = { kind: 'unseen', pods: ['db-us-central1'], what: 'NetworkChaos delay' } as const;
const planned = {
  kind: 'fault-planned',
  fault: FAULT,
  manifestFile: 'delay.yaml',
  manifestSha256: '0'.repeat(64),
  manifestKind: 'NetworkChaos',
  action: 'delay',
  mode: 'all',
  seed: 1,
  sources: [{ pod: 'db-us-central1', region: 'us-central1' }],
  targets: [],
  expected,
  notes: [],
} as const satisfies EventBody;

/** The record of a delay that a Chaos Mesh told of, in the place of the cut. */
function recorded(told: Partial<FaultEffect> = {}): (events: readonly RunEvent[]) => readonly RunEvent[] {
  const said = (moment: FaultEffect['moment']): FaultEffect => ({ ...judgeUnseen(FAULT, moment, expected), ...told });
  return (events) =>
    sorted([
      ...events.filter((event) => !('fault' in event)),
      at(1400, planned),
      at(1999, said('before')),
      at(2004, { kind: 'fault-injected', fault: FAULT, requestedMs: 2000, acknowledgedMs: 2004 }),
      at(2010, said('during')),
      at(6004, { kind: 'fault-healed', fault: FAULT, requestedMs: 6000, acknowledgedMs: 6004 }),
      at(6010, said('after-heal')),
    ]);
}

describe('a fault whose effect nobody sees', () => {
  it('never passes, and the reason says so: the known-bad Chaos Mesh only claims to delay', () => {
    const result = judged({ edit: recorded() });
    expect(result.verdict.outcome).to.equal('inconclusive');
    expect(result.verdict.reason).to.include('nobody could see whether NetworkChaos delay took effect');
    expect(objections(result)).to.include.members(['fault-effective', 'fault-healed']);
  });

  it('does not pass beside one that was seen, in the same manifest or in a step of its own', () => {
    const beside = withScenario({
      method: [...SCENARIO.method, { do: 'inject', fault: 'slow', manifest: 'delay.yaml' }, { do: 'heal', fault: 'slow' }],
    });
    for (const [seen, unseen, scenario] of [
      [`${FAULT}:NetworkChaos/cut`, `${FAULT}:NetworkChaos/slow`, SCENARIO],
      [FAULT, 'slow', beside],
    ] as const) {
      const named = (events: readonly RunEvent[], name: string): readonly RunEvent[] =>
        events.map((event) => ('fault' in event && event.fault === FAULT ? { ...event, fault: name } : event));
      const both = (events: readonly RunEvent[]): readonly RunEvent[] => {
        const theirs = recorded()(events).filter((event) => 'fault' in event);
        return sorted([...named(events, seen), ...named(theirs, unseen)]);
      };
      const result = judged({ scenario, edit: both });
      const about = (fault: string): readonly string[] =>
        result.verdict.findings.flatMap(({ check, outcome, message }) =>
          check === 'fault-effective' && message.startsWith(`${fault}:`) ? [outcome] : [],
        );
      expect([about(seen), about(unseen)]).to.deep.equal([['pass'], ['inconclusive']]);
      expect(result.verdict.outcome).to.equal('inconclusive');
    }
  });

  it('what is measured without it is measured all the same', () => {
    const result = judged({ edit: recorded() });
    expect(result.measurement.recovery.state).to.equal('not-measured');
    expect(outcomeOf(result, 'lost-writes')).to.equal('pass');
    expect(outcomeOf(result, 'linearizable')).to.equal('pass');
  });

  it('its record is one that can be read again, and its report says that nobody looked, not that it failed', () => {
    const events = recorded()(failoverHistory());
    expect(parseEvents(events.map((event) => JSON.stringify(event)).join('\n') + '\n', 'events.ndjson')).to.deep.equal(events);
    const page = reportPage(toResultDocument(judged({ edit: recorded() })));
    expect(page).to.include('nothing: no probe of the harness sees what NetworkChaos delay does');
    expect(page).to.include('no recovery from it could be measured').and.not.to.include('fault in effect</span>');
    expect(page).to.include('since the start').and.not.to.include('since the fault took effect');
    const row = /<tr>(?:(?!<tr>).)*no probe of the harness sees(?:(?!<\/tr>).)*<\/tr>/s.exec(page)?.[0];
    expect(row).to.include('aria-label="inconclusive"');
  });

  it('a record that calls it confirmed contradicts itself, with evidence of another kind as well', () => {
    for (const evidence of [
      { kind: 'none' },
      { kind: 'links', beacons: [] },
      { kind: 'clocks', readings: [{ atMs: 2005, pod: 'db-us-central1', offsetMs: 60_000 }] },
    ] as const) {
      const result = judged({ edit: recorded({ confirmed: true, betweenMs: [2001, 2003], evidence }) });
      expect(result.verdict.outcome).to.equal('inconclusive');
      expect(result.measurement.recovery.state).to.equal('not-measured');
      const findings = result.verdict.findings.filter(({ check }) => check === 'fault-effective').map(({ message }) => message);
      expect(findings.join('\n')).to.match(/recorded as confirmed, but by its own evidence it is not confirmed/);
    }
  });
});
