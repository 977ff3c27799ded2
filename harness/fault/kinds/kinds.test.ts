import { expect } from 'chai';
import { planning, planned, cutLinks, partition, DATABASES, PODS } from '../../testing/planned-fault.ts';

describe('network-partition', () => {
  it('direction to cuts from the source to the target only', () => {
    const plan = planned(partition(DATABASES));
    expect(plan.primitives).to.deep.equal([{ act: 'cut', from: ['db-us-central1'], to: ['db-us-east1'] }]);
    expect(cutLinks(plan)).to.deep.equal(['db-us-central1>db-us-east1 4+6']);
  });
  it('direction from cuts from the target to the source only', () => {
    const plan = planned(partition(`${DATABASES}direction: from`));
    expect(plan.primitives).to.deep.equal([{ act: 'cut', from: ['db-us-east1'], to: ['db-us-central1'] }]);
    expect(cutLinks(plan)).to.deep.equal(['db-us-east1>db-us-central1 4+6']);
  });
  it('direction both cuts both', () => {
    expect(cutLinks(planned(partition(`${DATABASES}direction: both`)))).to.have.length(2);
  });

  it('without target and externalTargets, each source is cut from everything, the other sources included', () => {
    const plan = planned(partition('selector: {labelSelectors: {app: etcd}}'));
    expect(plan.primitives.map((one) => ('cidr' in one ? `${one.cidr} ${one.direction}` : one.act))).to.deep.equal([
      '0.0.0.0/0 to',
      '::/0 to',
    ]);
    const links = cutLinks(plan);
    expect(links).to.have.length(3 * 21);
    expect(links).to.include.members(['etcd-us-east1>etcd-europe-west1 4+6', 'etcd-us-east1>dns 4+6']);
    expect(links.some((link) => link.startsWith('dns>'))).to.equal(false);
  });

  it('where pods have addresses of one family only, links are of that family, and nothing else is expected to be cut', () => {
    const pods = PODS.map((pod) => ({ ...pod, addresses: pod.addresses.slice(0, 1) }));
    const plan = planned(partition(DATABASES), { pods });
    expect(plan.expectedEffect).to.deep.include({ families: [4] });
    expect(cutLinks(plan)).to.deep.equal(['db-us-central1>db-us-east1 4']);
    const everything = planned(partition('selector: {labelSelectors: {app: etcd}}'), { pods });
    expect(everything.primitives).to.have.length(1);
    expect(everything.expectedEffect).to.deep.include({ unobservable: [] });
    expect(planned(partition(DATABASES)).expectedEffect).not.to.have.property('families');
  });

  it('externalTargets cut the sources only, and only in the family they name', () => {
    const plan = planned(partition(`${DATABASES}externalTargets: [10.77.9.53, "fd77::9:0/112"]\ndirection: both`));
    const links = cutLinks(plan);
    expect(links.filter((link) => link.startsWith('db-us-east1') || link.includes('>db-us-east1'))).to.have.length(2);
    expect(links).to.include.members(['db-us-central1>dns 4+6', 'dns>db-us-central1 4+6', 'operator>db-us-central1 6']);
    expect(plan.notes.join('\n')).to.match(/cut the selected pods only/);
  });

  it('says what no probe can see: an address outside the lab, a single port', () => {
    const plan = planned(partition('selector: {labelSelectors: {app: db}}\nexternalTargets: [192.0.2.7, "10.77.9.53:53"]'));
    if (plan.expectedEffect.kind !== 'links-cut') throw new Error('kind');
    expect(plan.expectedEffect.cut).to.deep.equal([]);
    expect(plan.expectedEffect.unobservable).to.have.length(2);
    expect(plan.primitives[1]).to.deep.include({ cidr: '10.77.9.53/32', port: 53 });
  });

  it('host names: every address they resolved to; none is nothing selected', () => {
    const text = partition('selector: {labelSelectors: {app: db, region: us-east1}}\nexternalTargets: ["dns.test:53", dns.test]');
    const addressesOf = { 'dns.test': ['10.77.9.53', 'fd77::9:53'] };
    expect(cutLinks(planned(text, { addressesOf }))).to.deep.equal(['db-us-east1>dns 4+6']);
    expect(planning(text)).to.deep.include({
      outcome: 'nothing-selected',
      reason: 'externalTargets: dns.test did not resolve to any address',
    });
  });

  it('a target that matches nothing, or only the source itself, is nothing selected', () => {
    const one = (target: string) => planning(partition(`selector: {labelSelectors: {app: dns}}\ntarget: {mode: all, selector: ${target}}`));
    expect(one('{labelSelectors: {app: dsn}}'))
      .to.have.property('reason')
      .that.matches(/^target: no pod matches/);
    expect(one('{labelSelectors: {app: dns}}'))
      .to.have.property('reason')
      .that.matches(/one and the same pod/);
  });

  it('selects the same pods for the same seed', () => {
    const text = partition('selector: {}\ntarget: {mode: one, selector: {}}').replace('mode: all', 'mode: fixed\n  value: "3"');
    for (let seed = 0; seed < 20; seed++) expect(planning(text, { seed })).to.deep.equal(planning(text, { seed }));
    expect(new Set(Array.from({ length: 20 }, (_, seed) => JSON.stringify(planning(text, { seed })))).size).to.be.greaterThan(10);
  });
});

describe('network-loss', () => {
  const loss = (spec: string): string => partition(`${spec}loss: {loss: "12.5"}`).replace('action: partition', 'action: loss');
  const lossy = (text: string, over = {}): readonly string[] => {
    const { expectedEffect: effect } = planned(text, over);
    if (effect.kind !== 'links-lossy') throw new Error(effect.kind);
    expect(effect.share).to.equal(0.125);
    return effect.lossy.map(({ from, to, families }) => `${from}>${to} ${families.join('+')}`);
  };
  const [C, E] = ['db-us-central1', 'db-us-east1'];

  it('is on the way that the direction says, as seen from the sources', () => {
    expect(planned(loss(DATABASES)).primitives).to.deep.equal([{ act: 'lose', from: [C], to: [E], share: 0.125 }]);
    expect(lossy(loss(DATABASES))).to.deep.equal([`${C}>${E} 4+6`]);
    expect(lossy(loss(`${DATABASES}direction: from\n`))).to.deep.equal([`${E}>${C} 4+6`]);
    expect(lossy(loss(`${DATABASES}direction: both\n`))).to.have.members([`${C}>${E} 4+6`, `${E}>${C} 4+6`]);
  });
  it('without target is of all that the sources send to any pod', () => {
    const links = lossy(loss('selector: {labelSelectors: {app: etcd}}\n'));
    expect(links).to.have.length(3 * 21);
    expect(links).to.include('etcd-us-east1>dns 4+6').and.not.to.include('dns>etcd-us-east1 4+6');
  });
  it('is expected in the families that pods have addresses of', () => {
    const pods = PODS.map((pod) => ({ ...pod, addresses: pod.addresses.slice(0, 1) }));
    expect(lossy(loss(DATABASES), { pods })).to.deep.equal([`${C}>${E} 4`]);
  });
  it('a pod that is source and target of both ways, or has no other, is nothing selected', () => {
    const all = 'selector: {labelSelectors: {app: db}}\ntarget: {mode: all, selector: {labelSelectors: {app: db}}}\n';
    expect(planning(loss(`${all}direction: both\n`)))
      .to.have.property('reason')
      .that.matches(/source and target/);
    expect(lossy(loss(all))).to.have.length(6);
    expect(planning(loss(all.replaceAll('db', 'dns'))))
      .to.have.property('reason')
      .that.matches(/one and the same pod/);
  });
});

describe('pod-chaos', () => {
  const podChaos = (spec: string): string => `apiVersion: chaos-mesh.org/v1alpha1\nkind: PodChaos\nmetadata: {name: x}\nspec: {${spec}}\n`;

  it('pod-kill passes its grace period on', () => {
    const plan = planned(podChaos('action: pod-kill, mode: all, gracePeriod: 5, duration: 10s, selector: {labelSelectors: {app: dns}}'));
    expect(plan.primitives).to.deep.equal([{ act: 'pod-kill', pods: ['dns'], graceMs: 5000 }]);
    expect(plan.expectedEffect).to.deep.equal({ kind: 'processes-gone', pods: ['dns'], afterwards: 'replaced' });
    expect(plan.notes.join('\n')).to.match(/`duration` does not apply to pod-kill/);
  });

  it('container-kill needs a container that the pod has', () => {
    const kill = (container: string) =>
      planning(podChaos(`action: container-kill, mode: all, containerNames: [${container}], selector: {labelSelectors: {app: dns}}`));
    expect(kill('dns')).to.have.property('outcome', 'planned');
    expect(kill('dsn')).to.deep.include({ outcome: 'nothing-selected', reason: 'pod dns has no container `dsn` (it has dns); skipped' });
  });

  it('nothing selected is an outcome with the reason', () => {
    expect(planning(podChaos('action: pod-kill, mode: one, selector: {namespaces: [default]}'))).to.deep.include({
      outcome: 'nothing-selected',
      reason: 'selector: no pod matches {"namespaces":["default"]}',
    });
  });
});

describe('PhysicalMachineChaos process', () => {
  const machine = (spec: string): string =>
    `apiVersion: chaos-mesh.org/v1alpha1\nkind: PhysicalMachineChaos\nmetadata: {name: x}\nspec: {action: process, mode: all, ${spec}}\n`;
  const DB = 'selector: {labelSelectors: {app: db}}';

  it('stops the named process of every selected machine until healed', () => {
    const plan = planned(machine(`${DB}, process: {process: db, signal: 19}`));
    const pods = ['db-europe-west1', 'db-us-central1', 'db-us-east1'];
    expect(plan.primitives).to.deep.equal([{ act: 'freeze', pods, share: 1, periodMs: 0 }]);
    expect(plan.expectedEffect).to.deep.equal({ kind: 'processes-frozen', pods, share: 1 });
  });

  it('selects nothing where one of the machines has no such process: chaosd fails on it, and nobody could say that all stand still', () => {
    const some = planning(machine('selector: {labelSelectors: {region: us-east1}}, process: {process: db, signal: 19}'));
    expect(some).to.include({ outcome: 'nothing-selected' });
    expect(some.outcome === 'nothing-selected' && some.reason).to.match(/^no process `db` in api-us-east1 \(it has api\), /);
  });

  it('selects nothing where no machine has such a process', () => {
    const nothing = planning(machine(`${DB}, process: {process: api, signal: 19}`));
    expect(nothing).to.include({ outcome: 'nothing-selected' });
    expect(nothing.outcome === 'nothing-selected' && nothing.reason).to.match(/no process `api` in db-europe-west1 \(it has db\)/);
  });

  const refused: readonly (readonly [string, RegExp])[] = [
    [`${DB}, process: {process: db, signal: 9}`, /spec\.process\.signal: only 19 \(SIGSTOP\) .*PodChaos container-kill/],
    [`${DB}, process: {process: db, signal: 19, recoverCmd: reboot}`, /spec\.process\.recoverCmd: .*SIGCONT. Remove it/],
    ['address: ["1.2.3.4:31768"], process: {process: db, signal: 19}', /spec\.address: .*use `selector`/],
    ['selector: {physicalMachines: {a: [b]}}, process: {process: db, signal: 19}', /physicalMachines: .*use labelSelectors/],
    ['selector: {pods: {a: [b]}}, process: {process: db, signal: 19}', /unknown field `pods`/],
  ];
  for (const [spec, why] of refused) it(`refuses ${spec}`, () => void expect(() => planning(machine(spec))).to.throw(why));
});

describe('StressChaos cpu', () => {
  const stress = (spec: string): string =>
    `apiVersion: chaos-mesh.org/v1alpha1\nkind: StressChaos\nmetadata: {name: x}\nspec: {mode: all, selector: {labelSelectors: {app: api, region: us-east1}}, ${spec}}\n`;

  const shares: readonly (readonly [string, number])[] = [
    ['{workers: 1, load: 40}', 0.4],
    ['{workers: 1}', 0.5], // its fair share, no more
    ['{workers: 9, load: 100}', 0.9],
    ['{workers: 2, load: 20}', 0.4],
  ];
  for (const [cpu, share] of shares)
    it(`${cpu} takes ${share * 100} % of a processor from the program`, () => {
      const plan = planned(stress(`stressors: {cpu: ${cpu}}`));
      expect(plan.primitives).to.deep.equal([{ act: 'freeze', pods: ['api-us-east1'], share, periodMs: 100 }]);
    });

  it('selects nothing worth noticing where it takes almost nothing', () => {
    expect(planning(stress('stressors: {cpu: {workers: 1, load: 5}}')).outcome).to.equal('nothing-selected');
  });

  const refused: readonly (readonly [string, RegExp])[] = [
    ['stressors: {memory: {workers: 1}, cpu: {workers: 1}}', /spec\.stressors\.memory: stress of memory is not yet supported/],
    ['stressngStressors: "--cpu 1"', /spec\.stressngStressors: /],
    ['stressors: {cpu: {workers: 0}}', /spec\.stressors\.cpu\.workers/],
    ['action: burn, stressors: {cpu: {workers: 1}}', /spec\.action: unknown field `action`/],
  ];
  for (const [spec, why] of refused) it(`refuses ${spec}`, () => void expect(() => planning(stress(spec))).to.throw(why));
});

describe('TimeChaos', () => {
  const time = (spec: string): string =>
    `apiVersion: chaos-mesh.org/v1alpha1\nkind: TimeChaos\nmetadata: {name: x}\nspec: {mode: all, selector: {labelSelectors: {app: dr-controller, region: us-east1}}, ${spec}}\n`;

  it('moves the wall clock by the offset', () => {
    const plan = planned(time('timeOffset: "-1h30m", clockIds: [CLOCK_REALTIME]'));
    expect(plan.primitives).to.deep.equal([{ act: 'move-clock', pods: ['dr-controller-us-east1'], offsetMs: -5_400_000 }]);
    expect(plan.expectedEffect).to.deep.equal({ kind: 'clocks-moved', pods: ['dr-controller-us-east1'], offsetMs: -5_400_000 });
  });

  const refused: readonly (readonly [string, RegExp])[] = [
    ['timeOffset: "1s"', /spec\.timeOffset: `1s` cannot be told from a slow answer/],
    ['timeOffset: 99999999h', /spec\.timeOffset: `99999999h` is more than a century/],
    ['timeOffset: -999999999999999999999h', /spec\.timeOffset: .*h` is more than a century/],
    ['timeOffset: tomorrow', /spec\.timeOffset: `tomorrow` is no offset/],
    ['timeOffset: 1h, clockIds: [CLOCK_MONOTONIC]', /spec\.clockIds\[0\]: only CLOCK_REALTIME/],
  ];
  for (const [spec, why] of refused) it(`refuses ${spec}`, () => void expect(() => planning(time(spec))).to.throw(why));
});
