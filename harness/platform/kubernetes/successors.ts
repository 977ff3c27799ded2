import type { KubePod } from './kube-object.ts';

interface First {
  /** Who made it, and would make another; undefined: nobody does. */
  readonly owner: string | undefined;
  /** Whom else that one had made by then. */
  readonly beside: ReadonlySet<string>;
}

/** Which pod is there for one that was: of its name, as a StatefulSet makes it, else the next new one of its owner, as a Deployment's ReplicaSet does. */
export class Successors {
  readonly #first = new Map<string, First>();

  /** pods: of a namespace, as they are now. */
  find(name: string, pods: readonly KubePod[]): KubePod | undefined {
    const own = pods.find(({ metadata }) => metadata.name === name);
    if (own !== undefined) {
      this.#remember(name, own, pods);
      return own;
    }
    const first = this.#first.get(name);
    if (first?.owner === undefined) return undefined;
    const gone = [...this.#first].flatMap(([other, { owner }]) =>
      owner === first.owner && !pods.some(({ metadata }) => metadata.name === other) ? [other] : [],
    );
    const made = pods.filter((pod) => ownerOf(pod) === first.owner && !first.beside.has(pod.metadata.uid ?? ''));
    return made.toSorted(byAge)[gone.toSorted().indexOf(name)];
  }

  #remember(name: string, own: KubePod, pods: readonly KubePod[]): void {
    if (this.#first.has(name)) return;
    const owner = ownerOf(own);
    const beside = pods.filter((pod) => ownerOf(pod) === owner).map(({ metadata }) => metadata.uid ?? '');
    this.#first.set(name, { owner, beside: new Set(beside) });
  }
}

const ownerOf = ({ metadata }: KubePod): string | undefined => metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;

function byAge({ metadata: a }: KubePod, { metadata: b }: KubePod): number {
  const [first = '', second = ''] = [a.creationTimestamp, b.creationTimestamp];
  return first.localeCompare(second) || a.name.localeCompare(b.name);
}
