import { HarnessError } from '../errors.ts';
import type { Experiment } from '../platform.ts';
import { labelValue, OWNER, OWNER_LABEL, RUN_LABEL } from './applied.ts';
import type { Place } from './experiment-watch.ts';
import { refusal, type KubeClient } from './kube-client.ts';
import { resourcePath, type ChaosObject } from './kube-object.ts';

const GROUP = 'chaos-mesh.org/v1alpha1';
const NOT_FOUND = 404;

interface Discovered {
  readonly resources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}
export interface ChaosPart {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly pods: readonly { readonly metadata: { readonly name: string } }[];
}
export interface OwnedExperiment {
  readonly client: KubeClient;
  readonly place: Place;
  readonly kind: string;
  readonly name: string;
  readonly run: string;
}

/** What Chaos Mesh the clusters have: their kinds, and where an experiment belongs. */
export class Chaos {
  readonly #parts: readonly ChaosPart[];
  /** By server: kind → its name in paths. */
  readonly #kinds: ReadonlyMap<string, ReadonlyMap<string, string>>;

  private constructor(parts: readonly ChaosPart[], kinds: ReadonlyMap<string, ReadonlyMap<string, string>>) {
    this.#parts = parts;
    this.#kinds = kinds;
  }

  /** Throws HarnessError `cluster-failed` when a server does not answer; a cluster without Chaos Mesh has no kinds. */
  static async open(parts: readonly ChaosPart[], signal: AbortSignal): Promise<Chaos> {
    const kinds = new Map<string, ReadonlyMap<string, string>>();
    for (const { client } of parts) if (!kinds.has(client.server)) kinds.set(client.server, await discover(client, signal));
    return new Chaos(parts, kinds);
  }

  kindsOf(client: KubeClient): readonly string[] {
    return [...(this.#kinds.get(client.server)?.keys() ?? [])];
  }

  /** Kinds that none of the clusters has. */
  missingOf(kinds: readonly string[]): readonly string[] {
    return kinds.filter((kind) => ![...this.#kinds.values()].some((known) => known.has(kind)));
  }

  /** The name of a kind in paths; undefined where the cluster does not have it. */
  resourceOf(client: KubeClient, kind: string): string | undefined {
    return this.#kinds.get(client.server)?.get(kind);
  }

  placeOf({ fault, kind, namespace, name, sources, targets }: Experiment): { readonly client: KubeClient; readonly place: Place } {
    const asked = [...sources, ...targets];
    const holds = (part: ChaosPart, pod: string): boolean => part.pods.some(({ metadata }) => metadata.name === pod);
    const servers = new Set(asked.flatMap((pod) => this.#parts.filter((part) => holds(part, pod)).map(({ client }) => client.server)));
    if (servers.size > 1)
      throw new HarnessError(
        'unsupported',
        `${fault}: its pods are in ${servers.size} clusters, and Chaos Mesh selects within one; write a manifest for each`,
      );
    const [server] = servers;
    const part = this.#parts.find((one) => one.client.server === server && one.namespace === namespace);
    if (part === undefined)
      throw new HarnessError('bad-input', `${fault}: namespace ${namespace} is not allowed in the cluster of its pods`);
    const resource = this.resourceOf(part.client, kind);
    if (resource === undefined) {
      const has = this.kindsOf(part.client).join(', ') || 'no kind of Chaos Mesh at all';
      throw new HarnessError('unsupported', `${fault}: the cluster of ${part.client.context} has no ${kind}; it has ${has}`);
    }
    return { client: part.client, place: { apiVersion: GROUP, resource, namespace, name } };
  }

  /** Every experiment that a game day has left or is using, of one run or of all. */
  async owned(run: string | undefined, signal: AbortSignal): Promise<readonly OwnedExperiment[]> {
    const labelSelector = [`${OWNER_LABEL}=${OWNER}`, ...(run === undefined ? [] : [`${RUN_LABEL}=${labelValue(run)}`])].join(',');
    const found: OwnedExperiment[] = [];
    for (const { client, namespace } of this.#parts) {
      for (const [kind, resource] of this.#kinds.get(client.server) ?? []) {
        const path = resourcePath({ apiVersion: GROUP, resource }, namespace);
        const answer = await client.ask<{ items: readonly ChaosObject[] }>('GET', path, { query: { labelSelector }, signal });
        if (answer.status === NOT_FOUND) continue; // its definition went away
        if (answer.status !== 200) throw refusal(`GET ${path}`, answer);
        for (const object of answer.body.items) {
          const { name, labels } = object.metadata;
          found.push({ client, kind, name, place: { apiVersion: GROUP, resource, namespace, name }, run: labels?.[RUN_LABEL] ?? '' });
        }
      }
    }
    return found;
  }
}

async function discover(client: KubeClient, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const answer = await client.ask<Discovered>('GET', `/apis/${GROUP}`, { signal });
  if (answer.status === NOT_FOUND) return new Map();
  if (answer.status !== 200) throw refusal(`GET /apis/${GROUP}`, answer);
  const usable = answer.body.resources.filter(
    ({ name, namespaced, verbs }) => namespaced && !name.includes('/') && verbs.includes('patch'),
  );
  return new Map(usable.map(({ kind, name }) => [kind, name]));
}
