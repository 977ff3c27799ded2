import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { expect } from 'chai';
import type { EventBody, FaultEffect, RunEvent } from '../history/event.ts';
import { systemClock } from '../platform/clock.ts';
import { LocalPlatform } from '../platform/local/local.ts';
import { requireSandbox } from '../platform/local/testing/require-sandbox.ts';
import type { Primitive } from '../platform/platform.ts';
import { faultKinds } from '../registry.ts';
import { formatProblems } from '../scenario/yaml-decode.ts';
import { EffectProbes } from './effect-probe.ts';
import type { FaultPlan } from './fault.ts';
import { decodeManifest } from './manifest.ts';

const ENGINE = path.join(import.meta.dirname, '../platform/local/testing/stand-in-engine.js');
// Never aborts: mocha bounds each test. A limit set here would count from when the files are loaded, minutes before a late suite runs.
const { signal } = new AbortController();

/** The lab with real pods. A probe must say yes to what was asked and done, and no when something less was done. */
describe('effect probes in the lab', () => {
  let runFolder: string;
  let lab: LocalPlatform;
  let probes: EffectProbes;
  const clock = systemClock(process.hrtime.bigint());
  const record = (body: EventBody): void => probes.onEvent({ atMs: clock.nowMs(), wall: clock.wall(), ...body } satisfies RunEvent);

  before(async () => {
    requireSandbox();
    runFolder = mkdtempSync(path.join(tmpdir(), 'gameday-probes-'));
    const context = { nowMs: () => clock.nowMs(), record, runFolder, seed: 1 };
    lab = new LocalPlatform(context, { replication: 'sync', policy: 'lab', engineMain: ENGINE, movableClocks: true });
    probes = new EffectProbes({ platform: lab, context, clock });
    await lab.start(signal);
  });
  after(async () => {
    await lab?.close();
    rmSync(runFolder, { recursive: true, force: true });
  });

  async function plan(spec: string): Promise<FaultPlan> {
    const kinds = {
      partition: 'NetworkChaos',
      'action: loss': 'NetworkChaos',
      process: 'PhysicalMachineChaos',
      stressors: 'StressChaos',
      timeOffset: 'TimeChaos',
    };
    const kind = Object.entries(kinds).find(([word]) => spec.includes(word))?.[1] ?? 'PodChaos';
    const text = `apiVersion: chaos-mesh.org/v1alpha1\nkind: ${kind}\nmetadata: {name: x}\nspec: {${spec}}\n`;
    const decoded = decodeManifest(text, 'm.yaml', { kinds: faultKinds, defaultNamespace: 'coditect' });
    if (!decoded.ok) throw new Error(formatProblems(decoded.problems));
    const [fault] = decoded.value;
    const hosts = await Promise.all((fault?.hostNames ?? []).map(async (host) => [host, await lab.resolve(host, signal)] as const));
    const planning = fault?.plan({ pods: lab.pods(), seed: 1, addressesOf: Object.fromEntries(hosts) });
    if (planning?.outcome !== 'planned') throw new Error(planning?.reason ?? 'no fault');
    return planning.plan;
  }

  /** Plans `spec`, does `done` (what was planned, when undefined), and gives what the probe said at each moment. */
  async function gameday(name: string, spec: string, done?: readonly Primitive[]): Promise<readonly FaultEffect[]> {
    const planned = await plan(spec);
    const probe = probes.open(name, planned);
    const before = await probe.before(signal);
    const injection = lab.injection(done ?? planned.primitives);
    try {
      record({ kind: 'fault-injected', fault: name, ...(await injection.apply(signal)) });
      const during = await probe.during(signal);
      record({ kind: 'fault-healed', fault: name, ...(await injection.heal(signal)) });
      return [before, during, await probe.afterHeal(signal)];
    } finally {
      await injection.heal(signal);
      await probe.close();
    }
  }
  const ALL_CONFIRMED = [true, true, true];
  const confirmed = (effects: readonly FaultEffect[]): readonly boolean[] => effects.map((effect) => effect.confirmed);
  const told = (effects: readonly FaultEffect[]): string => effects.map((effect) => `${effect.moment}: ${effect.measured}`).join('\n');

  const REGION = 'action: partition, mode: all, direction: both, selector: {labelSelectors: {region: us-central1}}';
  const API = 'selector: {labelSelectors: {app: api, region: us-east1}}';

  const LOSS = `action: loss, mode: all, direction: both, ${API}, target: {mode: all, selector: {labelSelectors: {app: dns}}}`;

  const good: readonly (readonly [string, string])[] = [
    ['a partition between regions', `${REGION}, target: {mode: all, selector: {labelSelectors: {region: us-east1}}}`],
    ['a partition with one way only', `${REGION.replace('both', 'from')}, target: {mode: one, selector: {labelSelectors: {app: dns}}}`],
    ['a partition from everything', 'action: partition, mode: all, direction: both, selector: {labelSelectors: {app: etcd}}'],
    ['a partition from a host name', `${REGION}, externalTargets: [dns.coditect.test]`],
    ['a partition from an IPv4 network only', `${REGION}, externalTargets: [10.77.9.0/24]`],
    ['a loss, both ways', `${LOSS}, loss: {loss: "30"}`],
    ['pod-failure', `action: pod-failure, mode: all, ${API}`],
    ['pod-kill', `action: pod-kill, mode: all, gracePeriod: 1, ${API}`],
    ['a process that stands still', `action: process, mode: all, process: {process: api, signal: 19}, ${API}`],
    ['a slow pod', `mode: all, stressors: {cpu: {workers: 3, load: 100}}, ${API}`],
    ['a clock that jumps', `mode: all, timeOffset: "-20m", ${API}`],
    ['container-kill', `action: container-kill, mode: all, containerNames: [api], ${API.replace('us-east1', 'europe-west1')}`],
  ];
  for (const [what, spec] of good)
    it(`confirm ${what}, and its heal`, async () => {
      const effects = await gameday(what, spec);
      expect(confirmed(effects), told(effects)).to.deep.equal(ALL_CONFIRMED);
      expect(effects[1]?.betweenMs, told(effects)).to.have.length(2);
    });

  it('do not take a pod that was asked to end for one in which nothing has begun, as one that is killed', async () => {
    const begun = async (spec: string): Promise<FaultEffect> => {
      const planned = await plan(spec);
      const probe = probes.open(spec, planned);
      await probe.before(signal);
      await clock.sleep(200, signal); // looks at what is there yet
      const injection = lab.injection(planned.primitives);
      try {
        record({ kind: 'fault-injected', fault: spec, ...(await injection.apply(signal)) });
        return await probe.during(signal);
      } finally {
        record({ kind: 'fault-healed', fault: spec, ...(await injection.heal(signal)) });
        await probe.afterHeal(signal);
        await probe.close();
      }
    };
    const killed = await begun(`action: pod-failure, mode: all, ${API}`);
    expect(killed.evidence, told([killed])).to.have.property('lastThereMs');
    const asked = await begun(`action: pod-kill, mode: all, gracePeriod: 1, ${API}`);
    expect(asked.evidence, told([asked])).to.not.have.property('lastThereMs');
  });

  it('do not confirm a partition of which only one direction was done', async () => {
    const effects = await gameday('half', `${REGION}, target: {mode: all, selector: {labelSelectors: {app: dns}}}`, [
      { act: 'cut', from: ['dns'], to: lab.pods().flatMap((pod) => (pod.region === 'us-central1' ? [pod.name] : [])) },
    ]);
    // What passed all the time was not cut until its heal either.
    expect(confirmed(effects), told(effects)).to.deep.equal([true, false, false]);
    expect(effects[1]?.measured).to.match(/still passing: .*us-central1>dns/);
  });

  const losses: readonly (readonly [string, number, RegExp])[] = [
    ['next to nothing', 0.001, /loses another share than 60 %: \S+ \(\d+ of \d+ lost\)/],
    ['a third of it', 0.2, /another share/],
    ['all', 1, /another share/],
  ];
  for (const [what, share, says] of losses)
    it(`do not confirm a loss of which ${what} was done`, async () => {
      const pods = { from: ['api-us-east1'], to: ['dns'], share };
      const done: Primitive[] = [pods, { ...pods, from: pods.to, to: pods.from }].map((one) => ({ act: 'lose', ...one }));
      const effects = await gameday(`loss-${share}`, `${LOSS}, loss: {loss: "60"}`, done);
      expect(confirmed(effects), told(effects)).to.deep.equal([true, false, true]);
      expect(effects[1]?.measured).to.match(says);
    });

  it('do not confirm a pod failure that hit another pod', async () => {
    const effects = await gameday('other', `action: pod-failure, mode: all, ${API}`, [{ act: 'pod-hold', pods: ['client-outside'] }]);
    expect(effects[1]?.confirmed).to.equal(false);
    expect(effects[1]?.measured).to.match(/api-us-east1: still there: process \d+/);
  });

  const nothing: readonly (readonly [string, string, RegExp])[] = [
    [
      'a process that was not stopped',
      `action: process, mode: all, process: {process: api, signal: 19}, ${API}`,
      /api-us-east1: still runs: process/,
    ],
    [
      'a pod that nobody stressed',
      `mode: all, stressors: {cpu: {workers: 3, load: 100}}, ${API}`,
      /api-us-east1: stands still \d+ % of the time/,
    ],
    ['a clock that was not moved', `mode: all, timeOffset: "20m", ${API}`, /api-us-east1 is off by -?\d\.\d s/],
  ];
  for (const [what, spec, says] of nothing)
    it(`do not confirm ${what}`, async () => {
      const effects = await gameday(what, spec, [{ act: 'cut', from: ['dns'], to: ['client-us-east1'] }]);
      expect(confirmed(effects), told(effects)).to.deep.equal([true, false, true]);
      expect(effects[1]?.measured).to.match(says);
    });

  it('leave to each of two faults at a time what is its own', async () => {
    const [first, second] = [
      await plan(`${REGION}, externalTargets: [10.77.9.53]`),
      await plan(`${REGION}, externalTargets: [10.77.9.30]`),
    ];
    const [one, two] = [probes.open('one', first), probes.open('two', second)];
    const injections = [lab.injection(first.primitives), lab.injection(second.primitives)];
    try {
      const effects = [await one.before(signal), await two.before(signal)];
      for (const injection of injections) await injection.apply(signal);
      effects.push(await one.during(signal), await two.during(signal));
      await injections[0]?.heal(signal);
      effects.push(await one.afterHeal(signal));
      await injections[1]?.heal(signal);
      effects.push(await two.afterHeal(signal));
      expect(confirmed(effects), told(effects)).to.deep.equal(Array(6).fill(true));
    } finally {
      for (const injection of injections) await injection.heal(signal);
      await Promise.all([one.close(), two.close()]);
    }
  });
});
