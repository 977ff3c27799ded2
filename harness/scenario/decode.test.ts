import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeScenario, type World } from './decode.ts';
import type { Fault } from '../fault/fault.ts';
import { loadScenarios, type DecodeManifest } from './load.ts';
import { decodeRecordedScenario } from './recorded.ts';
import { formatProblems } from './yaml-decode.ts';

const WORLD: World = { vantages: ['us-east1', 'outside'], platforms: ['local'] };
const GOOD = `name: isolation
question: Does it come back?
steady: 2s
method:
  - inject: cut
    manifest: cut.yaml
  - awaitRecovery: 10s
  - heal: cut
settle: 5s
expect:
  failover: one
  outage: expected
  loss: none
  mustRecover: [us-east1, outside]
targets:
  recoveryTime: 10s
  recoveryPoint: 0s
  lostWrites: 0
`;
const problemsOf = (text: string): string => {
  const decoded = decodeScenario(text, 's.yaml', WORLD);
  return decoded.ok ? '' : formatProblems(decoded.problems);
};

describe('scenario', () => {
  it('decodes with its defaults, and what is recorded of it decodes to the same', () => {
    const decoded = decodeScenario(GOOD, 's.yaml', WORLD);
    if (!decoded.ok) throw new Error(formatProblems(decoded.problems));
    expect(decoded.value).to.deep.include({ name: 'isolation', replication: 'sync', policy: 'lab', seed: null, steadyMs: 2000 });
    expect(decoded.value.workload).to.deep.include({ periodMs: 20, goodWithinMs: 250 });
    expect(decoded.value.method[0]).to.deep.equal({ do: 'inject', fault: 'cut', manifest: 'cut.yaml' });
    expect(decodeRecordedScenario(JSON.parse(JSON.stringify(decoded.value)))).to.deep.equal(decoded.value);
  });

  const cases: readonly (readonly [string, (text: string) => string, RegExp])[] = [
    ['an unknown field', (text) => text.replace('settle:', 'setle:'), /s\.yaml:9:1: setle: unknown field `setle`; did you mean `settle`\?/],
    ['a step of another type', (text) => text.replace('heal: cut', 'heal: 7'), /s\.yaml:8:11: method\[2\]\.heal: must be text; this is 7/],
    ['too small a number', (text) => `${text}seed: -1\n`, /s\.yaml:\d+:7: seed: must be at least 0; this is -1/],
    ['a missing field', (text) => text.replace('steady: 2s\n', ''), /s\.yaml:\d+:1: steady: `steady` is missing/],
    [
      'a value that is no duration',
      (text) => text.replace('settle: 5s', 'settle: 5 parsecs'),
      /s\.yaml:9:9: settle: `5 parsecs` is not a duration/,
    ],
    ['an impossible choice', (text) => text.replace('failover: one', 'failover: two'), /s\.yaml:11:13: expect\.failover: /],
    [
      'an unknown vantage',
      (text) => text.replace('outside]', 'mars]'),
      /s\.yaml:14:27: expect\.mustRecover\[1\]: unknown vantage `mars`; there are us-east1, outside/,
    ],
    [
      'a heal of what was never injected',
      (text) => text.replace('heal: cut', 'heal: cat'),
      /s\.yaml:8:11: method\[2\]\.heal: fault `cat` was never injected before/,
    ],
    [
      'a second heal',
      (text) => text.replace('  - heal: cut\n', '  - heal: cut\n  - heal: cut\n'),
      /s\.yaml:9:11: method\[3\]\.heal: fault `cut` is healed already/,
    ],
    [
      'a second injection of one name',
      (text) => text.replace('  - heal', '  - {inject: cut, manifest: x.yaml}\n  - heal'),
      /method\[2\]\.inject: fault `cut` was injected before/,
    ],
    [
      'an injection without manifest',
      (text) => text.replace('    manifest: cut.yaml\n', ''),
      /s\.yaml:5:\d+: method\[0\]\.inject: `manifest` is missing/,
    ],
    [
      'two steps in one',
      (text) => text.replace('  - heal: cut', '  - heal: cut\n    observe: 1s'),
      /method\[2\]: a step is exactly one of .*; this has observe and heal/,
    ],
    [
      'recovery before a fault',
      (text) => text.replace('method:\n', 'method:\n  - awaitRecovery: 1s\n'),
      /method\[0\]\.awaitRecovery: there is nothing to recover from/,
    ],
    ['a loss target where no loss may be', (text) => text.replace('lostWrites: 0', 'lostWrites: 3'), /targets\.lostWrites: must be 0/],
    [
      'a limit of brown-outs where an outage may be',
      (text) => text.replace('lostWrites: 0', 'brownOut: 1s'),
      /targets\.brownOut: an outage may be here/,
    ],
    [
      'a platform that is not built',
      (text) => `platform: kubernetes\n${text}`,
      /s\.yaml:1:11: platform: platform `kubernetes` is not built yet/,
    ],
  ];
  for (const [what, change, problem] of cases) {
    it(`refuses ${what} with its position`, () => {
      const text = change(GOOD);
      expect(text).to.not.equal(GOOD);
      expect(problemsOf(text)).to.match(problem);
    });
  }

  it('plays a group of steps several times, its faults with a name a round', () => {
    const text = GOOD.replace(
      '  - heal: cut\n',
      '  - heal: cut\n  - repeat: 2\n    steps:\n      - {inject: flap, manifest: f.yaml}\n      - heal: flap\n',
    );
    const decoded = decodeScenario(text, 's.yaml', WORLD);
    if (!decoded.ok) throw new Error(formatProblems(decoded.problems));
    expect(decoded.value.method.slice(3).map((step) => ('fault' in step ? `${step.do} ${step.fault}` : step.do))).to.deep.equal([
      'inject flap-1',
      'heal flap-1',
      'inject flap-2',
      'heal flap-2',
    ]);
  });

  it('decodes orders and armed faults', () => {
    const text = GOOD.replace(
      'method:\n',
      'method:\n  - order: failover --target=us-east1 --force\n    exits: 1\n    within: 5s\n  - {arm: leader, manifest: l.yaml, at: epoch_acquired}\n',
    );
    const decoded = decodeScenario(text, 's.yaml', WORLD);
    if (!decoded.ok) throw new Error(formatProblems(decoded.problems));
    expect(decoded.value.method.slice(0, 2)).to.deep.equal([
      { do: 'order', args: ['failover', '--target=us-east1', '--force'], exits: 1, atMostMs: 5000 },
      { do: 'arm', fault: 'leader', manifest: 'l.yaml', at: 'epoch_acquired' },
    ]);
    expect(decodeRecordedScenario(JSON.parse(JSON.stringify(decoded.value)))).to.deep.equal(decoded.value);
  });

  const steps: readonly (readonly [string, string, RegExp])[] = [
    [
      'an order that is no order',
      '  - order: rm -rf /',
      /s\.yaml:8:12: method\[2\]\.order: an order begins with one of failover, switchover/,
    ],
    ['an order with a shell in it', '  - order: "status; reboot"', /method\[2\]\.order: an order is words; there is no shell/],
    ['arming without saying when', '  - {arm: x, manifest: m.yaml}', /method\[2\]\.arm: `at` is missing/],
    ['`at` where nothing is armed', '  - {inject: x, manifest: m.yaml, at: sealed}', /method\[2\]\.at: `at` belongs to arm/],
    [
      'healing outside of a repeat what was injected within',
      '  - {repeat: 2, steps: [{inject: x, manifest: m.yaml}]}\n  - heal: x',
      /fault `x` has a name a round/,
    ],
    [
      'a mistake within a repeat',
      '  - {repeat: 2, steps: [{inject: x}]}',
      /s\.yaml:8:\d+: method\[2\]\.steps\[0\]\.inject: `manifest` is missing/,
    ],
  ];
  for (const [what, step, problem] of steps)
    it(`refuses ${what}`, () => void expect(problemsOf(GOOD.replace('  - heal: cut', step))).to.match(problem));

  it('refuses an ordered failover that nobody orders', () => {
    expect(problemsOf(GOOD.replace('failover: one', 'failover: ordered'))).to.match(
      /s\.yaml:11:13: expect\.failover: nobody orders anything/,
    );
  });

  it('tells everything that is wrong at once', () => {
    const text = GOOD.replace('failover: one', 'failover: two').replace('outside]', 'mars]').replace('heal: cut', 'heal: cat');
    expect(problemsOf(text).split('\n')).to.have.length(3);
  });

  describe('with its manifests', () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'scenario-'))));
    afterEach(() => rmSync(folder, { recursive: true }));
    const none: DecodeManifest = () => ({ ok: true, value: [] });

    it('finds them beside the scenario, wherever it is called from', () => {
      const file = join(folder, 's.yaml');
      writeFileSync(file, GOOD);
      writeFileSync(join(folder, 'cut.yaml'), '');
      const [loaded] = loadScenarios([file], WORLD, none);
      expect([...(loaded?.faults.keys() ?? [])]).to.deep.equal(['cut']);
    });

    it('plays a scenario with variants once for each, the value filled in everywhere', () => {
      const file = join(folder, 's.yaml');
      const text = GOOD.replace('manifest: cut.yaml', 'manifest: cut-${way}.yaml');
      const write = (variants: string): void => writeFileSync(file, `${text}variants: ${variants}\n`);
      for (const way of ['to', 'both_ways']) writeFileSync(join(folder, `cut-${way}.yaml`), '');
      write('{way: [to, both_ways]}');
      const loaded = loadScenarios([file], WORLD, none);
      expect(loaded.map(({ variant, scenario }) => [variant, scenario.name])).to.deep.equal([
        ['to', 'isolation-to'],
        ['both_ways', 'isolation-both-ways'],
      ]);
      expect(loaded[1]?.scenario.method[0]).to.include({ manifest: 'cut-both_ways.yaml' });
      write('{direction: [to]}');
      expect(() => loadScenarios([file], WORLD, none)).to.throw(
        /s\.yaml:19:\d+: variants\.direction: nothing in the file says `\$\{direction\}`/,
      );
      write('{way: [to, "../../etc"]}');
      expect(() => loadScenarios([file], WORLD, none)).to.throw(/s\.yaml:19:\d+: variants\.way\[1\]: must be a word/);
    });
    it('refuses experiments of one manifest that last differently long: one step heals them together', () => {
      const file = join(folder, 's.yaml');
      writeFileSync(file, GOOD);
      writeFileSync(join(folder, 'cut.yaml'), '');
      const lasting = (action: string, durationMs: number | null) => ({ oneShot: action === 'pod-kill', durationMs }) as Fault;
      const load = (...faults: Fault[]) => loadScenarios([file], WORLD, () => ({ ok: true, value: faults }));
      expect(load(lasting('partition', 5000), lasting('pod-failure', 5000), lasting('pod-kill', null))).to.have.length(1);
      expect(() => load(lasting('partition', 5000), lasting('pod-failure', 6000))).to.throw(/s\.yaml:6:15: .*differently long/);
      expect(() => load(lasting('partition', 5000), lasting('partition', null))).to.throw(/differently long/);
    });

    it('says where a manifest is named that is not there, together with all other problems', () => {
      const file = join(folder, 's.yaml');
      writeFileSync(file, GOOD.replace('failover: one', 'failover: two'));
      expect(() => loadScenarios([file, join(folder, 'none.yaml')], WORLD, none)).to.throw(
        /s\.yaml:6:15: method\[0\]\.manifest: there is no such file: .*cut\.yaml/,
      );
      expect(() => loadScenarios([file], WORLD, none)).to.throw(/expect\.failover/);
      expect(() => loadScenarios([join(folder, 'none.yaml')], WORLD, none)).to.throw(/none\.yaml:1:1: cannot be read/);
    });
  });
});
