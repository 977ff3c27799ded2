import { expect } from 'chai';
import type { Fault } from '../fault.ts';
import { decodeManifest, type ManifestOptions } from '../manifest.ts';
import { faultKinds, opaqueKinds } from '../../registry.ts';
import { formatProblems } from '../../scenario/yaml-decode.ts';
import { PODS } from '../../testing/planned-fault.ts';

const onClusters: ManifestOptions = { kinds: [...faultKinds, ...opaqueKinds], defaultNamespace: 'coditect' };
const inLabs: ManifestOptions = { kinds: faultKinds, defaultNamespace: 'coditect' };

const manifest = (kind: string, spec: string, metadata = '{name: x}'): string =>
  `apiVersion: chaos-mesh.org/v1alpha1\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}\n`;
const problems = (text: string, options = onClusters): string => {
  const decoded = decodeManifest(text, 'm.yaml', options);
  return decoded.ok ? '' : formatProblems(decoded.problems);
};
function fault(text: string): Fault {
  const decoded = decodeManifest(text, 'm.yaml', onClusters);
  if (!decoded.ok || decoded.value[0] === undefined) throw new Error(JSON.stringify(decoded));
  return decoded.value[0];
}

const DATABASE = 'mode: all, selector: {labelSelectors: {app: db, region: us-central1}}';
/** What teams with clusters have, of each kind and action. */
const TAKEN: readonly (readonly [string, string])[] = [
  [
    'NetworkChaos',
    `{action: delay, ${DATABASE}, delay: {latency: 100ms, jitter: 10ms, correlation: "50", reorder: {reorder: "5", gap: 5}}}`,
  ],
  ['NetworkChaos', `{action: netem, ${DATABASE}, delay: {latency: 1ms}, loss: {loss: "1"}, direction: to}`],
  ['NetworkChaos', `{action: duplicate, ${DATABASE}, duplicate: {duplicate: "40"}, duration: 30s}`],
  ['NetworkChaos', `{action: corrupt, ${DATABASE}, corrupt: {corrupt: "40"}, device: eth1}`],
  [
    'NetworkChaos',
    `{action: bandwidth, ${DATABASE}, bandwidth: {rate: 1mbps, limit: 20971520, buffer: 10000}, externalTargets: [10.0.0.0/8]}`,
  ],
  ['DNSChaos', `{action: random, ${DATABASE}, patterns: ["google.com", "chaos-mesh.*"], containerNames: [db]}`],
  ['IOChaos', `{action: latency, ${DATABASE}, volumePath: /data, path: "/data/**/*", delay: 100ms, percent: 50, methods: [write]}`],
  ['HTTPChaos', `{target: Request, ${DATABASE}, port: 80, path: /api, abort: true}`],
  ['HTTPChaos', `{target: Response, ${DATABASE}, port: 80, tls: {secretName: a, secretNamespace: coditect, certName: c, keyName: k}}`],
  ['JVMChaos', `{action: return, ${DATABASE}, class: Main, method: "getnum(int[])", returnValue: "9999"}`],
  ['JVMChaos', `{action: exception, ${DATABASE}, class: Main, method: say, exception: java.io.IOException("BOOM")}`],
  ['StressChaos', `{${DATABASE}, stressors: {memory: {workers: 4, size: 256MB}}}`],
  ['StressChaos', `{${DATABASE}, stressors: {memory: {workers: 1}, cpu: {workers: 1, load: 50}}}`],
];

/** Ways to reach what no system's file can allow, or to leave it unsaid whom a document reaches. */
const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ['NetworkChaos', `{action: delay, ${DATABASE}, remoteCluster: production}`, /reaches into a cluster that the system/],
  ['NetworkChaos', `{action: delay, mode: all}`, /spec\.selector.*missing/],
  ['NetworkChaos', `{action: delay, mode: all, selector: everything}`, /spec\.selector: must be a map/],
  ['NetworkChaos', `{action: delay, mode: all, selector: {clusters: [b]}}`, /unknown field `clusters`/],
  ['NetworkChaos', `{action: delay, mode: all, selector: {namespaces: coditect}}`, /spec\.selector\.namespaces/],
  ['NetworkChaos', `{action: delay, mode: all, selector: {physicalMachines: {payments: [a]}}}`, /unknown field `physicalMachines`/],
  ['NetworkChaos', `{action: delay, mode: fixed, selector: {}}`, /mode fixed needs `value`/],
  ['NetworkChaos', `{action: delay, ${DATABASE}, target: {mode: all, selector: {}, remoteCluster: b}}`, /spec\.target\.remoteCluster/],
  ['NetworkChaos', `{action: delay, ${DATABASE}, target: Request}`, /spec\.target: must be a map/],
  ['NetworkChaos', `{action: delay, ${DATABASE}, targets: [{selector: {namespaces: [payments]}}]}`, /unknown field `targets`/],
  ['NetworkChaos', `{action: delay, ${DATABASE}, __proto__: {selector: {namespaces: [payments]}}}`, /__proto__/],
  ['NetworkChaos', `{action: teleport, ${DATABASE}}`, /unknown action `teleport`/],
  ['HTTPChaos', `{target: {selector: {namespaces: [payments]}}, ${DATABASE}}`, /spec\.target/],
  ['HTTPChaos', `{target: Request, ${DATABASE}, tls: {secretName: a}}`, /secretNamespace/],
  ['IOChaos', `{action: mistake, ${DATABASE}, volumePath: /data, mistake: {filling: random}}`, /IOChaos mistake/],
  ['IOChaos', `{action: latency, ${DATABASE}, volumePath: /data, mistake: {filling: random}}`, /no heal takes back/],
  ['JVMChaos', `{action: ruleData, ${DATABASE}, ruleData: "RULE x"}`, /JVMChaos ruleData/],
  ['JVMChaos', `{action: latency, ${DATABASE}, class: Main, method: say, latency: 1, ruleData: "RULE x"}`, /is a program/],
  [
    'JVMChaos',
    `{action: return, ${DATABASE}, class: Main, method: say, returnValue: 'java.lang.Runtime.getRuntime().exec("sh")'}`,
    /must be a number/,
  ],
  ['JVMChaos', `{action: latency, ${DATABASE}, class: "Main\\nDO System.exit(1)", method: say, latency: 1}`, /must be a name/],
  [
    'JVMChaos',
    `{action: exception, ${DATABASE}, class: Main, method: say, exception: 'a.B("x"); System.exit(1); new c.D("y")'}`,
    /must be a class/,
  ],
  // A carriage return ends a line, too.
  ['JVMChaos', `{action: return, ${DATABASE}, class: Main, method: say, returnValue: "\\"a\\rDO b\\""}`, /must be a number/],
  ['JVMChaos', `{action: exception, ${DATABASE}, class: Main, method: say, exception: "a.B(\\"x\\rDO y\\")"}`, /must be a class/],
  ['StressChaos', `{${DATABASE}, stressors: {memory: null}}`, /must be a map/],
  ['StressChaos', `{${DATABASE}, stressors: {memory: {workers: 1, options: ["--hdd 8"]}}}`, /goes to stress-ng/],
  ['StressChaos', `{${DATABASE}, stressors: {memory: {workers: 1}}, stressngStressors: "--all 1"}`, /goes to stress-ng/],
  ['StressChaos', `{${DATABASE}, stressngStressors: "--all 1"}`, /stress-ng/],
  ['StressChaos', `{${DATABASE}, stressors: {memory: {workers: 1, oomScoreAdj: -1000}}}`, /other programs of the node/],
  ['KernelChaos', `{${DATABASE}, failKernRequest: {failtype: 0}}`, /share its kernel/],
  ['BlockChaos', `{action: delay, ${DATABASE}, volumeName: data}`, /device of the node/],
  ['AWSChaos', '{action: ec2-stop, ec2Instance: i-1, awsRegion: us-east-1}', /cloud account/],
  ['GCPChaos', '{action: node-stop, project: a, zone: b, instance: c}', /cloud account/],
  ['AzureChaos', '{action: vm-stop, vmName: a}', /cloud account/],
  [
    'PhysicalMachineChaos',
    `{action: stress-cpu, address: ["10.0.0.1:31767"], stress-cpu: {load: 10, workers: 1}, mode: all}`,
    /PhysicalMachineChaos stress-cpu/,
  ],
  ['Schedule', `{schedule: "@every 1s", type: NetworkChaos, networkChaos: {action: delay, ${DATABASE}}}`, /a scenario says when/],
  ['Workflow', `{entry: a, templates: [{name: a, templateType: NetworkChaos}]}`, /a scenario says which/],
  ['StatusCheck', '{type: HTTP, http: {url: "http://payments"}}', /StatusCheck/],
  ['RemoteCluster', '{namespace: payments}', /another cluster/],
  ['PodNetworkChaos', '{tcs: []}', /Chaos Mesh writes by itself/],
  ['PodIOChaos', '{}', /Chaos Mesh writes by itself/],
  ['PodHttpChaos', '{}', /Chaos Mesh writes by itself/],
  ['CiliumChaos', `{${DATABASE}}`, /unknown kind `CiliumChaos`/],
];

describe('kinds that only clusters have', () => {
  for (const [kind, spec] of TAKEN)
    it(`${kind} ${spec} is taken for clusters, and refused for labs`, () => {
      const one = fault(manifest(kind, spec));
      expect(one.opaque).to.equal(true);
      const planning = one.plan({ pods: PODS, seed: 1, addressesOf: {} });
      if (planning.outcome !== 'planned') throw new Error(planning.reason);
      expect(planning.plan.sources).to.deep.equal([{ pod: 'db-us-central1', region: 'us-central1' }]);
      expect(planning.plan.primitives).to.deep.equal([]);
      expect(planning.plan.expectedEffect).to.deep.include({ kind: 'unseen', pods: ['db-us-central1'] });
      expect(problems(manifest(kind, spec), inLabs)).not.to.equal('');
    });

  for (const [kind, spec, why] of REFUSED)
    it(`${kind} ${spec} is refused`, () => {
      expect(problems(manifest(kind, spec))).to.match(why);
    });

  it('a target is hit as well, and drawn for itself', () => {
    const one = fault(
      manifest(
        'NetworkChaos',
        `{action: delay, ${DATABASE}, delay: {latency: 1ms}, target: {mode: one, selector: {labelSelectors: {app: api}}}}`,
      ),
    );
    const planning = one.plan({ pods: PODS, seed: 1, addressesOf: {} });
    if (planning.outcome !== 'planned') throw new Error(planning.reason);
    const [target] = planning.plan.targets;
    expect(target?.pod).to.match(/^api-/);
    expect(planning.plan.expectedEffect).to.deep.include({ pods: ['db-us-central1', target?.pod] });
  });

  for (const [selection, hit] of [
    ['mode: fixed-percent, value: "34", selector: {labelSelectors: {app: db}}', 2],
    ['mode: fixed, value: "2", selector: {expressionSelectors: [{key: app, operator: In, values: [db]}]}', 2],
    ['mode: one, selector: {fieldSelectors: {metadata.name: db-us-east1}}', 1],
    ['mode: all, selector: {annotationSelectors: {tier: gold}}', 1],
  ] as const)
    it(`${selection}: the pods that are drawn are those that must be hit, the same again by the same seed`, () => {
      const one = fault(manifest('DNSChaos', `{action: error, ${selection}}`));
      const pods = PODS.map((pod) => (pod.name === 'db-us-east1' ? { ...pod, annotations: { tier: 'gold' } } : pod));
      const plans = [1, 2].map(() => one.plan({ pods, seed: 7, addressesOf: {} }));
      const [planning] = plans;
      if (planning?.outcome !== 'planned') throw new Error(JSON.stringify(planning));
      expect(planning.plan.sources).to.have.length(hit);
      expect(planning.plan.expectedEffect).to.deep.include({ kind: 'unseen', pods: planning.plan.sources.map(({ pod }) => pod) });
      expect(plans[1]).to.deep.equal(planning);
    });

  it('of several documents each is what it is; one that is refused refuses all', () => {
    const cut = manifest('NetworkChaos', `{action: partition, ${DATABASE}, target: {mode: all, selector: {labelSelectors: {app: api}}}}`);
    const mute = manifest('DNSChaos', `{action: error, ${DATABASE}}`);
    const decoded = decodeManifest(`${cut}---\n${mute}`, 'm.yaml', onClusters);
    expect(decoded.ok && decoded.value.map(({ kind, opaque = false }) => [kind, opaque])).to.deep.equal([
      ['NetworkChaos', false],
      ['DNSChaos', true],
    ]);
    expect(problems(`${cut}---\n${mute}`, inLabs)).to.match(/DNSChaos is not yet supported locally/);
    expect(problems(`${mute}---\n${manifest('KernelChaos', `{${DATABASE}}`)}`)).to.match(/share its kernel/);
  });

  it('one whose target selects nothing selects nothing', () => {
    const one = fault(manifest('NetworkChaos', `{action: delay, ${DATABASE}, target: {mode: all, selector: {labelSelectors: {app: x}}}}`));
    expect(one.plan({ pods: PODS, seed: 1, addressesOf: {} }).outcome).to.equal('nothing-selected');
  });

  it('what the harness can see is decoded as everywhere: stress of processors alone, partition, loss', () => {
    expect(fault(manifest('StressChaos', `{${DATABASE}, stressors: {cpu: {workers: 1}}}`)).opaque).to.equal(undefined);
    expect(fault(manifest('NetworkChaos', `{action: loss, ${DATABASE}, loss: {loss: "30"}}`)).opaque).to.equal(undefined);
    expect(problems(manifest('NetworkChaos', `{action: partition, ${DATABASE}, delay: {latency: 1ms}}`))).not.to.equal('');
  });

  it('an experiment that Chaos Mesh would let go with its fault in place is refused, of whatever kind', () => {
    const metadata = '{name: x, annotations: {chaos-mesh.chaos-mesh.org/cleanFinalizer: forced}}';
    expect(problems(manifest('DNSChaos', `{action: error, ${DATABASE}}`, metadata))).to.match(/without taking its fault back/);
    expect(problems(manifest('PodChaos', `{action: pod-failure, ${DATABASE}}`, metadata))).to.match(/without taking its fault back/);
  });
});
