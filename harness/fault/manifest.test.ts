import { expect } from 'chai';
import { formatProblems } from '../scenario/yaml-decode.ts';
import { networkLoss } from './kinds/network-loss.ts';
import { networkPartition } from './kinds/network-partition.ts';
import { podChaosKinds } from './kinds/pod-chaos.ts';
import { experimentName } from './fault.ts';
import { decodeManifest } from './manifest.ts';

const options = { kinds: [...podChaosKinds, networkPartition, networkLoss], defaultNamespace: 'coditect' };
const decode = (text: string) => decodeManifest(text, 'm.yaml', options);
const problems = (text: string): readonly string[] => {
  const decoded = decode(text);
  return decoded.ok ? [] : formatProblems(decoded.problems).split('\n');
};

const HEAD = 'apiVersion: chaos-mesh.org/v1alpha1\n';
const podChaos = (spec: string, name = 'x'): string =>
  `${HEAD}kind: PodChaos\nmetadata:\n  name: ${name}\nspec:\n${spec.replace(/^/gm, '  ')}\n`;
const network = (spec: string): string => `${HEAD}kind: NetworkChaos\nmetadata:\n  name: x\nspec:\n${spec.replace(/^/gm, '  ')}\n`;

describe('manifest', () => {
  it('decodes several documents of a file, with name, kind, action, duration and hash', () => {
    const decoded = decode(
      `${podChaos('action: pod-failure\nmode: all\nselector: {}\nduration: 1h15m')}---\n${podChaos('action: pod-kill\nmode: one\nselector: {}\nduration: 5m', 'y')}---\n`,
    );
    if (!decoded.ok) throw new Error(formatProblems(decoded.problems));
    expect(decoded.value.map(({ name, action, durationMs, namespace }) => ({ name, action, durationMs, namespace }))).to.deep.equal([
      { name: 'x', action: 'pod-failure', durationMs: 4_500_000, namespace: 'coditect' },
      { name: 'y', action: 'pod-kill', durationMs: null, namespace: 'coditect' },
    ]);
    expect(decoded.value[0]?.sha256).to.match(/^[0-9a-f]{64}$/);
  });

  const bad: readonly (readonly [string, string, readonly string[]])[] = [
    ['an empty file', '', ['m.yaml:1:1: the file holds no experiment']],
    ['a scalar', 'hello', ['m.yaml:1:1: must be a map with the fields apiVersion, kind, metadata, spec; this is text']],
    [
      'another object',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {}\n',
      [
        'm.yaml:1:13: apiVersion: must be chaos-mesh.org/v1alpha1',
        'm.yaml:2:7: kind: unknown kind `Pod`; Chaos Mesh has no such experiment that could be run here',
      ],
    ],
    [
      'a kind that is not supported yet',
      `${HEAD}kind: IOChaos\nmetadata: {name: x}\nspec: {}\n`,
      ['m.yaml:2:7: kind: IOChaos is not yet supported locally: it needs a FUSE file system under the pod'],
    ],
    [
      'an action that is not supported yet',
      network('action: delay\nmode: all\nselector: {}\ndelay: {latency: 10ms}'),
      [
        'm.yaml:6:11: spec.action: NetworkChaos delay is not yet supported locally: it needs the kernel module sch_netem or a relay of our own; supported: partition, loss',
      ],
    ],
    [
      'an annotation that has Chaos Mesh forget the fault',
      podChaos('action: pod-failure\nmode: all\nselector: {}').replace(
        '  name: x\n',
        '  name: x\n  annotations:\n    chaos-mesh.chaos-mesh.org/cleanFinalizer: forced\n',
      ),
      [
        'm.yaml:6:47: metadata.annotations.chaos-mesh.chaos-mesh.org/cleanFinalizer: has Chaos Mesh drop the experiment without taking its fault back; remove the annotation',
      ],
    ],
    [
      'an action that does not exist',
      podChaos('action: pod-kil\nmode: all\nselector: {}'),
      ['m.yaml:6:11: spec.action: unknown action `pod-kil` of PodChaos; supported: pod-kill, pod-failure, container-kill'],
    ],
    [
      'no action',
      podChaos('mode: all'),
      ['m.yaml:5:1: spec.action: `action` is missing; add it (one of pod-kill, pod-failure, container-kill)'],
    ],
    ['no spec', `${HEAD}kind: PodChaos\nmetadata:\n  name: x\n`, ['m.yaml:1:1: spec: `spec` is missing; add it (a map with `action`)']],
    [
      'a paused experiment, and fields that a cluster writes',
      `${HEAD}kind: PodChaos\nmetadata:\n  name: x\n  uid: 1\n  annotations:\n    experiment.chaos-mesh.org/pause: "true"\nstatus: {}\nspec: {action: pod-kill, mode: all, selector: {}}\n`,
      [
        'm.yaml:5:3: metadata.uid: `uid` is written by a cluster; remove it',
        'm.yaml:7:38: metadata.annotations.experiment.chaos-mesh.org/pause: a paused experiment injects nothing; remove the annotation',
        'm.yaml:8:1: status: `status` is written by a cluster; remove it',
      ],
    ],
    [
      'everything wrong at once',
      `${HEAD}kind: PodChaos\nmetadata:\n  name: Not_A_Name\nspec:\n  action: container-kill\n  mode: fixed-percent\n  selektor: {}\n  duration: 5 minutes\n  remoteCluster: east\n  gracePeriod: -1\n`,
      [
        'm.yaml:4:9: metadata.name: must be a DNS name: lower-case letters, digits, `-` and `.`',
        'm.yaml:5:1: spec.selector: `selector` is missing; add it (a map)',
        'm.yaml:5:1: spec.containerNames: `containerNames` is missing; add it (a list)',
        'm.yaml:5:1: spec.value: mode fixed-percent needs `value`: a whole percentage from 1 to 100, in quotes',
        'm.yaml:8:3: spec.selektor: unknown field `selektor`; did you mean `selector`? allowed here: action, selector, mode, value, duration, gracePeriod, containerNames',
        'm.yaml:9:13: spec.duration: `5 minutes` is not a duration; write it as 300ms, 10s or 1h15m',
        'm.yaml:10:3: spec.remoteCluster: `remoteCluster` is not yet supported locally: there is one lab and no other cluster; remove it',
        'm.yaml:11:16: spec.gracePeriod: must not be negative',
      ],
    ],
    [
      'selectors',
      podChaos(
        'action: pod-kill\nmode: all\nselector:\n  labelSelectors: {app: 1}\n  fieldSelectors: {status.podIP: x}\n  podPhaseSelectors: [running]\n  expressionSelectors:\n    - {key: a, operator: In}\n    - {key: a, operator: Exists, values: [b]}\n    - {key: a, operator: Gt, values: ["1"]}\n  pods: {coditect: a}',
      ),
      [
        'm.yaml:9:27: spec.selector.labelSelectors.app: must be text; put it in quotes',
        'm.yaml:10:22: spec.selector.fieldSelectors.status.podIP: only metadata.name, metadata.namespace, spec.nodeName, status.phase can be selected on',
        'm.yaml:11:25: spec.selector.podPhaseSelectors[0]: must be one of Pending, Running, Succeeded, Failed, Unknown; this is "running"',
        'm.yaml:13:9: spec.selector.expressionSelectors[0].values: In and NotIn need at least one value',
        'm.yaml:14:44: spec.selector.expressionSelectors[1].values: Exists and DoesNotExist take no values; remove them',
        'm.yaml:15:28: spec.selector.expressionSelectors[2].operator: must be one of In, NotIn, Exists, DoesNotExist; this is "Gt"',
        'm.yaml:16:22: spec.selector.pods.coditect: must be a list; this is "a"',
      ],
    ],
    [
      'a list of pods that names none, which selects nothing in Chaos Mesh and everything by the selectors beside it',
      podChaos('action: pod-kill\nmode: all\nselector:\n  labelSelectors: {app: db}\n  pods: {coditect: []}'),
      ['m.yaml:10:22: spec.selector.pods.coditect: names no pod; write the names, or remove `pods`'],
    ],
    [
      'a grace period that no timer keeps',
      podChaos('action: pod-kill\nmode: all\nselector: {}\ngracePeriod: 3000000'),
      ['m.yaml:9:16: spec.gracePeriod: must be a day (86400) at most'],
    ],
    [
      'the fields of a partition',
      network(
        'action: partition\nmode: one\nselector: {}\ndirection: up\ndevice: eth1\nloss: {loss: "5"}\nexternalTargets: [10.0.0.0/33, "a b", "h:99999"]\ntarget: {mode: fixed, selector: {}}',
      ),
      [
        'm.yaml:9:14: spec.direction: must be one of "", to, from, both; this is "up"',
        'm.yaml:10:11: spec.device: a pod of the lab has only the device eth0; remove the field',
        'm.yaml:11:3: spec.loss: `loss` has no effect with action partition; remove it',
        'm.yaml:12:21: spec.externalTargets[0]: `10.0.0.0/33` is no address, CIDR, host name or host:port',
        'm.yaml:12:34: spec.externalTargets[1]: `a b` is no address, CIDR, host name or host:port',
        'm.yaml:12:41: spec.externalTargets[2]: `h:99999` is no address, CIDR, host name or host:port',
        'm.yaml:13:3: spec.target.value: mode fixed needs `value`: a whole number of pods, at least 1, in quotes',
      ],
    ],
    [
      'the fields of a loss',
      network(
        'action: loss\nmode: all\nselector: {}\ndirection: both\nexternalTargets: [10.0.0.1]\ndelay: {latency: 1s}\nloss: {loss: "2", correlation: "25"}',
      ),
      [
        'm.yaml:5:1: spec.target: is missing, which a direction other than `to` needs (as in Chaos Mesh)',
        'm.yaml:10:3: spec.externalTargets: what is lost on the way to addresses outside no probe can see; name pods in `target`',
        'm.yaml:11:3: spec.delay: `delay` has no effect with action loss; remove it',
        'm.yaml:12:16: spec.loss.loss: `2` cannot be told from none by what probes send in a few seconds; lose 5 at least',
        'm.yaml:12:34: spec.loss.correlation: of losses is not supported: probes tell the share that is lost, and not which losses follow each other',
      ],
    ],
    [
      'two experiments of one name',
      `${podChaos('action: pod-kill\nmode: all\nselector: {}')}---\n${podChaos('action: pod-failure\nmode: all\nselector: {}')}`,
      ['m.yaml:13:9: metadata.name: a second PodChaos `x` would overwrite the first; rename it'],
    ],
  ];
  for (const [what, text, expected] of bad) it(`refuses ${what}`, () => void expect(problems(text)).to.deep.equal(expected));

  for (const value of ['0', '-1', '1.5', '101', 'x', ''])
    it(`refuses fixed-percent ${JSON.stringify(value)}`, () => {
      expect(problems(podChaos(`action: pod-kill\nmode: fixed-percent\nselector: {}\nvalue: "${value}"`))[0]).to.match(
        /^m\.yaml:9:10: spec\.value: /,
      );
    });

  it('gives two experiments of one manifest names of their own, also where kind and name are the same', () => {
    const text = [podChaos('action: pod-kill\nmode: all\nselector: {}'), network('action: partition\nmode: one\nselector: {}')].join(
      '---\n',
    );
    const names = (manifest: string): readonly string[] => {
      const decoded = decode(manifest);
      return decoded.ok
        ? decoded.value.map((one) => experimentName('step', one, decoded.value))
        : decoded.problems.map((one) => one.message);
    };
    expect(names(text)).to.deep.equal(['step:PodChaos/x', 'step:NetworkChaos/x']);
    const elsewhere = text
      .replace('name: x', 'name: x\n  namespace: other')
      .replace('NetworkChaos', 'PodChaos')
      .replace('action: partition', 'action: pod-failure');
    expect(names(elsewhere)).to.deep.equal(['step:PodChaos/other/x', 'step:PodChaos/coditect/x']);
    expect(names(podChaos('action: pod-kill\nmode: all\nselector: {}'))).to.deep.equal(['step']);
  });
});
