import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { expect } from 'chai';
import { judge } from '../check/judge.ts';
import type { Verdict } from '../check/verdict.ts';
import { load } from '../commands/scenarios.ts';
import { LogWatch } from '../engine/log-watch.ts';
import { regionOfAddress } from '../engine/endpoints.ts';
import { EffectProbes } from '../fault/effect-probe.ts';
import { runGameday } from '../gameday.ts';
import { EVENT_SCHEMA } from '../history/event.ts';
import { readEvents } from '../history/reader.ts';
import { Recorder } from '../history/recorder.ts';
import { systemClock } from '../platform/clock.ts';
import { LocalPlatform } from '../platform/local/local.ts';
import { requireSandbox } from '../platform/local/testing/require-sandbox.ts';
import { podNamed } from '../platform/local/topology.ts';
import type { Injection, Primitive } from '../platform/platform.ts';
import { CHECKS } from '../registry.ts';
import { vantagesOf } from '../workload/clients.ts';

const RESOLVERS =
  'mode: all, direction: both, selector: {labelSelectors: {app: resolver, region: outside}}, target: {mode: all, selector: {labelSelectors: {app: client, region: europe-west1}}}';
const CLIENTS =
  'mode: all, selector: {labelSelectors: {app: client}, expressionSelectors: [{key: region, operator: In, values: [us-east1, europe-west1]}]}';
const FAULTS = {
  families: `kind: NetworkChaos\nspec: {action: partition, ${RESOLVERS}}`,
  directions: `kind: NetworkChaos\nspec: {action: partition, ${RESOLVERS}}`,
  pods: `kind: PodChaos\nspec: {action: pod-failure, ${CLIENTS}}`,
};
const SCENARIO = `name: partly
question: Is a fault that was done by half noticed?
steady: 1s
method:
${Object.keys(FAULTS)
  .map((name) => `  - {inject: ${name}, manifest: ${name}.yaml}\n  - {observe: 200ms}\n  - {heal: ${name}}`)
  .join('\n')}
settle: 5s
expect: {failover: allowed, outage: allowed, loss: none, mustRecover: [us-central1]}
targets: {lostWrites: 0}
`;

/** The real lab, whose hands do less than they are asked and say that all is done. */
class HalfHearted extends LocalPlatform {
  #injections = 0;

  override injection(asked: readonly Primitive[]): Injection {
    const halves = [
      () => asked.flatMap((primitive) => (primitive.act === 'cut' ? this.#onlyIpv4(primitive) : [primitive])),
      () => asked.slice(0, 1),
      () => asked.map((primitive) => (primitive.act === 'pod-hold' ? { ...primitive, pods: primitive.pods.slice(0, 1) } : primitive)),
    ];
    return super.injection(halves[this.#injections++]?.() ?? asked);
  }

  #onlyIpv4({ from, to }: Extract<Primitive, { act: 'cut' }>): readonly Primitive[] {
    return to.map((pod) => ({ act: 'cut-external', pods: from, cidr: `${podNamed(this.topology, pod).ipv4}/32`, direction: 'to' }));
  }
}

describe('a fault that was applied in part', function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    requireSandbox();
    folder = mkdtempSync(path.join(tmpdir(), 'partly-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('makes the whole game day inconclusive: IPv4 only, one direction only, one pod of two', async () => {
    const { outcome, findings, reason } = await play(folder);
    expect(outcome, reason).to.equal('inconclusive');
    const told = findings.filter((one) => one.check === 'fault-effective').map((one) => `${one.outcome} ${one.message}`);
    expect(told, told.join('\n')).to.have.length(3);
    expect(told[0]).to.match(/^inconclusive families: .*IPv6 still passes: /);
    expect(told[1]).to.match(/^inconclusive directions: .*still passing: client-europe-west1>resolver-outside\/4/);
    expect(told[2]).to.match(/^inconclusive pods: .*client-europe-west1: still there: process/);
    const wrong = findings.filter((one) => one.outcome === 'fail').map((one) => `${one.check}: ${one.message}`);
    expect(wrong).to.deep.equal([]);
  });
});

/** As `gameday run` plays a scenario (commands/play.ts), with other hands. */
async function play(folder: string): Promise<Verdict> {
  const header = 'apiVersion: chaos-mesh.org/v1alpha1\nmetadata: {name: x, namespace: coditect}\n';
  for (const [name, text] of Object.entries(FAULTS)) writeFileSync(path.join(folder, `${name}.yaml`), header + text);
  const scenarioFile = path.join(folder, 'partly-scenario.yaml');
  writeFileSync(scenarioFile, SCENARIO);
  const [loaded] = load([scenarioFile]);
  if (loaded === undefined) throw new Error('no scenario');
  const runFolder = path.join(folder, 'run');
  mkdirSync(runFolder);
  const originNs = process.hrtime.bigint();
  const clock = systemClock(originNs);
  const file = path.join(runFolder, 'events.ndjson');
  const recorder = new Recorder(file, clock);
  const context = { nowMs: () => clock.nowMs(), record: recorder.record.bind(recorder), runFolder, seed: 1 };
  const platform = new HalfHearted(context, { replication: 'sync', policy: 'lab' });
  const probes = new EffectProbes({ platform, context, clock });
  recorder.onEvent((event) => probes.onEvent(event));
  recorder.record({
    kind: 'run-started',
    schema: EVENT_SCHEMA,
    runId: 'partly',
    originNs: String(originNs),
    scenario: loaded.scenario,
    scenarioFile,
    seed: 1,
    platform: 'local',
    machine: { kernel: '', cpus: 0, node: process.version, user: '' },
    versions: {},
    regionOfAddress: regionOfAddress(platform.pods()),
    vantages: vantagesOf(platform),
  });
  const { signal } = new AbortController();
  const openProbe = probes.open.bind(probes);
  await runGameday(loaded.scenario, {
    platform,
    context,
    clock,
    originNs,
    faults: loaded.faults,
    logs: new LogWatch(),
    openProbe,
    machineProc: '/proc',
    signal,
  });
  recorder.close();
  return judge(readEvents(file), CHECKS).verdict;
}
