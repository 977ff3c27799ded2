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
