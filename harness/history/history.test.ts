import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../platform/clock.ts';
import { SCENARIO } from '../testing/handmade.ts';
import type { EventBody, RunEvent } from './event.ts';
import { parseEvents, readEvents } from './reader.ts';
import { Recorder } from './recorder.ts';

const started: EventBody = {
  kind: 'run-started',
  schema: 1,
  runId: 'r',
  originNs: '0',
  scenario: SCENARIO,
  scenarioFile: 's.yaml',
  seed: 1,
  platform: 'local',
  machine: { kernel: '6', cpus: 2, node: '24', user: 'root' },
  versions: {},
  regionOfAddress: {},
  vantages: [],
};
const line = (body: EventBody): string => `${JSON.stringify({ atMs: 1, wall: '2026-01-01T00:00:00Z', ...body })}\n`;

describe('history', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'history-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('reads back what was recorded, in order, and tells listeners', () => {
    const file = join(folder, 'events.ndjson');
    const recorder = new Recorder(file, systemClock(process.hrtime.bigint()));
    const heard: RunEvent[] = [];
    recorder.onEvent((event) => heard.push(event));
    recorder.record(started);
    for (let i = 0; i < 50; i++) recorder.record({ kind: 'note', message: `note ${i}` });
    recorder.close();
    recorder.record({ kind: 'note', message: 'too late' });
    expect(readEvents(file)).to.deep.equal(heard);
    expect(heard).to.have.length(51);
  });

  it('never overwrites a run', () => {
    const file = join(folder, 'events.ndjson');
    new Recorder(file, systemClock(0n)).close();
    expect(() => new Recorder(file, systemClock(0n))).to.throw(/EEXIST/);
  });

  it('refuses a record without an end, with its position', () => {
    expect(() => parseEvents(line(started) + line({ kind: 'note', message: 'x' }).slice(0, -1), 'e')).to.throw('e:2: torn record');
  });

  it('refuses half a record in the middle', () => {
    expect(() => parseEvents(`${line(started)}{"atMs":1,\n${line({ kind: 'note', message: 'x' })}`, 'e')).to.throw('e:2: torn record');
  });

  it('refuses a kind that it does not know', () => {
    expect(() => parseEvents(`${line(started)}{"atMs":1,"wall":"","kind":"surprise"}\n`, 'e')).to.throw(
      'e:2: unknown kind of event "surprise"',
    );
  });

  it('refuses a record that lacks a field', () => {
    expect(() => parseEvents(`${line(started)}{"atMs":1,"wall":"","kind":"note"}\n`, 'e')).to.throw(
      'e:2: message: must be text; this is missing; was it recorded by another version of gameday?',
    );
  });

  it('refuses a file that does not begin with run-started, or holds two', () => {
    expect(() => parseEvents(line({ kind: 'note', message: 'x' }), 'e')).to.throw('e:1: the first record');
    expect(() => parseEvents('', 'e')).to.throw('e:1: the first record');
    expect(() => parseEvents(line(started) + line(started), 'e')).to.throw('e:2: a second run-started');
  });

  it('refuses a recorded scenario that is none, with its position', () => {
    const broken = { ...started, scenario: { ...SCENARIO, steadyMs: 'long' } };
    expect(() => parseEvents(line(broken), 'e')).to.throw(/^e:1: scenario.steadyMs: must be a number; this is "long"; .*another version/);
  });

  it('refuses a scenario that asks for what this version does not know: it would pass without having been judged by it', () => {
    const targets = { ...SCENARIO.targets, writesPerSecond: 1000 };
    expect(() => parseEvents(line({ ...started, scenario: { ...SCENARIO, targets } }), 'e')).to.throw(
      /^e:1: scenario.targets: .*writesPerSecond/,
    );
    const method = [{ do: 'observe', forMs: 10, withoutErrors: true }];
    expect(() => parseEvents(line({ ...started, scenario: { ...SCENARIO, method } }), 'e')).to.throw(/withoutErrors/);
  });

  it('says what to do when there is no such file', () => {
    expect(() => readEvents(join(folder, 'none'))).to.throw(/give the folder of a run/);
  });
});
