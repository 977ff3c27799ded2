import { experimentOf } from '../../fault/experiment-of.ts';
import type { Fault } from '../../fault/fault.ts';
import { HarnessError } from '../errors.ts';
import type { Feature } from '../local/features.ts';
import type { Pod } from '../platform.ts';
import { notAllowed } from './allowed.ts';
import { Chaos } from './chaos.ts';
import type { KubeClient } from './kube-client.ts';
import { PODS, resourcePath, type KubeObject, type KubePod } from './kube-object.ts';
import { openParts, type Part } from './parts.ts';
import { podView } from './pod-view.ts';
import { rehearse } from './rehearsal.ts';
import type { ProbeSettings, SystemFile } from './system-file.ts';

const ASK_MS = 15_000;
/** `Date` of an answer has no fractions of a second; below this nothing can be said. */
const CLOCK_DOUBT_MS = 2000;
const INJECT = 'chaos-mesh.org/inject';
const GROUP = 'chaos-mesh.org';
const EXPERIMENT_VERBS = ['get', 'list', 'watch', 'create', 'patch', 'delete'];

/**
 * Whether a game day can be played on these clusters: what is asked is what a run uses. Changes nothing. `faults`: manifests whose selectors
 * are to match something.
 */
export async function examineClusters(system: SystemFile, faults: readonly Fault[]): Promise<readonly Feature[]> {
  const parts = await openParts(system);
  const signal = AbortSignal.timeout(ASK_MS);
  const servers = new Map(parts.map((part) => [part.client.server, part]));
  const found: Feature[] = [];
  const reached: Part[] = [];
  for (const [server, { client }] of servers) {
    const answered = await reach(client, signal);
    found.push(...answered);
    if (answered[0]?.has === true) reached.push(...parts.filter((part) => part.client.server === server));
  }
  if (reached.length === 0) return found;
  const chaos = await Chaos.open(reached, signal);
  for (const { client } of new Map(reached.map((part) => [part.client.server, part])).values()) {
    found.push(await chaosMesh(client, chaos.kindsOf(client), signal));
  }
  for (const part of reached) {
    found.push(...(await examinePart(part, chaos.kindsOf(part.client), signal)));
    if (system.service !== undefined) found.push(await probesIn(part, system.probes, signal));
  }
  const pods = reached.flatMap((part) => part.pods.map((pod) => podView(pod, part.region)));
  found.push(...faults.filter((fault) => fault.hostNames.length === 0).map((fault) => selects(fault, pods)));
  for (const fault of faults.filter(({ opaque }) => opaque === true)) found.push(...(await taken(fault, { chaos, system, pods }, signal)));
  return found;
}

async function reach(client: KubeClient, signal: AbortSignal): Promise<readonly [Feature, ...Feature[]]> {
  const name = `API server of ${client.context}`;
  const before = Date.now();
  const answer = await client.ask<{ gitVersion?: string }>('GET', '/version', { signal }).catch((error: unknown) => String(error));
  if (typeof answer === 'string' || answer.status !== 200) {
    const has = typeof answer === 'string' ? answer : `GET /version: ${answer.status}`;
    const refused = typeof answer !== 'string' && answer.status === 401;
    const fix = refused
      ? `log in again: the server takes the identity of the context ${client.context} no more`
      : 'look at the server, and at the context in the kubeconfig';
    return [feature({ name, has, usedFor: client.server, fix })];
  }
  const offsetMs = (answer.dateMs ?? Number.NaN) - (before + Date.now()) / 2;
  const clock =
    Math.abs(offsetMs) <= CLOCK_DOUBT_MS ? true : `is off by ${Number.isNaN(offsetMs) ? 'an unknown time' : `${offsetMs.toFixed(0)} ms`}`;
  return [
    feature({ name, has: true, version: answer.body.gitVersion ?? '', usedFor: client.server, fix: '' }),
    feature({
      name: `clock of ${client.context}`,
      has: clock,
      required: false,
      usedFor: 'times in the objects of the cluster',
      fix: 'synchronise the clocks',
    }),
  ];
}

async function chaosMesh(client: KubeClient, kinds: readonly string[], signal: AbortSignal): Promise<Feature> {
  const name = `Chaos Mesh in ${client.context}`;
  const fix = 'install it: https://chaos-mesh.org/docs/production-installation-using-helm/';
  if (kinds.length === 0) return feature({ name, has: `no kind of ${GROUP} is served`, usedFor: 'every fault', fix });
  const path = resourcePath({ apiVersion: 'apps/v1', resource: 'deployments' }, 'chaos-mesh', 'chaos-controller-manager');
  const answer = await client.ask<{ metadata?: { labels?: Record<string, string> } }>('GET', path, { signal });
  const version = answer.status === 200 ? (answer.body.metadata?.labels?.['app.kubernetes.io/version'] ?? '') : '';
  return feature({ name, has: true, version, usedFor: kinds.join(', '), fix });
}

async function examinePart(part: Part, kinds: readonly string[], signal: AbortSignal): Promise<readonly Feature[]> {
  const { client, namespace } = part;
  const wanted = [
    ...(kinds.length === 0 ? [] : EXPERIMENT_VERBS.map((verb) => ({ group: GROUP, resource: '*', verb }))),
    ...['get', 'list', 'watch'].map((verb) => ({ group: '', resource: 'pods', verb })),
    { group: '', resource: 'pods', subresource: 'log', verb: 'get' },
    { group: '', resource: 'events', verb: 'list' },
  ];
  const denied: string[] = [];
  for (const asked of wanted) if (!(await mayI(client, { namespace, ...asked }, signal))) denied.push(`${asked.verb} ${asked.resource}`);
  const name = `rights in ${namespace} (${client.context})`;
  const has = denied.length === 0 ? true : `may not ${denied.join(', ')}`;
  const rights = feature({
    name,
    has,
    usedFor: 'applying, following and deleting experiments',
    fix: 'bind a role with these rights (docs/kubernetes.md)',
  });
  return [rights, await injectable(client, namespace, signal), await hasPods(part, signal)];
}

/** Whether anything of ours could look into these pods: needed for faults on links, and only where the file wants it. */
async function probesIn({ client, namespace }: Part, probes: ProbeSettings | undefined, signal: AbortSignal): Promise<Feature> {
  const usedFor = 'whether NetworkChaos took effect';
  const name = `probes in ${namespace} (${client.context})`;
  const missing = { has: 'the file has no `probes`: NetworkChaos is refused', fix: 'name an image for them (docs/kubernetes.md)' };
  if (probes === undefined) return feature({ name, required: false, usedFor, ...missing });
  const wanted = [
    { resource: 'pods', subresource: 'ephemeralcontainers', verb: 'patch' },
    { resource: 'pods', subresource: 'log', verb: 'get' },
  ];
  const denied: string[] = [];
  for (const asked of wanted)
    if (!(await mayI(client, { namespace, group: '', ...asked }, signal)))
      denied.push(`${asked.verb} ${asked.resource}/${asked.subresource}`);
  const has = denied.length === 0 ? true : `may not ${denied.join(', ')}`;
  const fix = 'bind a role with these rights (docs/kubernetes.md)';
  return feature({ name, has, version: has === true ? probes.image : '', usedFor, fix });
}

async function mayI(client: KubeClient, resourceAttributes: object, signal: AbortSignal): Promise<boolean> {
  const apiVersion = 'authorization.k8s.io/v1';
  const body = { apiVersion, kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
  const path = resourcePath({ apiVersion, resource: 'selfsubjectaccessreviews' });
  const { status } = await client.must<{ status?: { allowed?: boolean } }>('POST', path, { body, signal });
  return status?.allowed === true;
}

/** Only a warning: Chaos Mesh looks at it when its `enableFilterNamespace` is on, and that cannot be asked. */
async function injectable(client: KubeClient, namespace: string, signal: AbortSignal): Promise<Feature> {
  const name = `annotation of ${namespace}`;
  const usedFor = 'Chaos Mesh with enableFilterNamespace harms no other namespace';
  const fix = `kubectl annotate namespace ${namespace} ${INJECT}=enabled`;
  const answer = await client.ask<KubeObject>('GET', resourcePath({ apiVersion: 'v1', resource: 'namespaces' }, undefined, namespace), {
    signal,
  });
  if (answer.status !== 200) return feature({ name, has: `cannot be read (${answer.status})`, required: false, usedFor, fix });
  const has = answer.body.metadata.annotations?.[INJECT] === 'enabled' ? true : `no ${INJECT}: enabled`;
  return feature({ name, has, required: false, usedFor, fix });
}

async function hasPods(part: Part, signal: AbortSignal): Promise<Feature> {
  const answer = await part.client.ask<{ items: readonly KubePod[] }>('GET', resourcePath(PODS, part.namespace), { signal });
  part.pods = answer.status === 200 ? answer.body.items : [];
  const has = part.pods.length > 0 ? true : answer.status === 200 ? 'there is none' : `cannot be listed (${answer.status})`;
  const version = has === true ? String(part.pods.length) : '';
  return feature({
    name: `pods in ${part.namespace} (${part.client.context})`,
    has,
    version,
    usedFor: 'what a selector can match',
    fix: 'deploy the system',
  });
}

function selects(fault: Fault, pods: Parameters<Fault['plan']>[0]['pods']): Feature {
  const planning = fault.plan({ pods, seed: 0, addressesOf: {} });
  const name = `${fault.kind} ${fault.name}`;
  const fix = 'compare its selector with the labels of the pods';
  if (planning.outcome === 'nothing-selected') return feature({ name, has: planning.reason, usedFor: fault.file, fix });
  return feature({ name, has: true, version: `${planning.plan.sources.length} pods`, usedFor: fault.file, fix });
}

/** Whether a cluster would take what only it can judge, by a dry run of what would be applied. What selects nothing was told already. */
async function taken(
  fault: Fault,
  { chaos, system, pods }: { readonly chaos: Chaos; readonly system: SystemFile; readonly pods: readonly Pod[] },
  signal: AbortSignal,
): Promise<readonly Feature[]> {
  const name = `${fault.kind} ${fault.name} as it would be applied`;
  const rest = {
    name,
    usedFor: fault.file,
    fix: 'mend the manifest by what the cluster says; nobody sees what this kind does, so a run is inconclusive',
  };
  const [stranger] = notAllowed([fault], system);
  if (stranger !== undefined) return [feature({ ...rest, has: stranger })];
  const planning = fault.plan({ pods, seed: 0, addressesOf: {} });
  if (planning.outcome === 'nothing-selected') return [];
  const experiment = experimentOf({ name: fault.name, experiment: fault, plan: planning.plan }, pods, false);
  const has = await rehearse(experiment, chaos, 'doctor', signal).then(
    () => true as const,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return [feature({ ...rest, has })];
}

const feature = ({ required = true, ...rest }: Omit<Feature, 'required'> & { readonly required?: boolean }): Feature => ({
  ...rest,
  required,
});

/** Throws HarnessError `bad-input` unless a system is named: there is no default that could be harmed by mistake. */
export function needSystem(file: string | undefined): string {
  if (file === undefined)
    throw new HarnessError('bad-input', '--system FILE is missing: it names the clusters, and what of them may be touched');
  return file;
}
