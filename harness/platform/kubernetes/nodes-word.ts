import { setTimeout as sleep } from 'node:timers/promises';
import process from 'node:process';
import type { PodProcess, ReachabilityCell } from '../../history/event.ts';
import { HarnessError } from '../errors.ts';
import { ProgramsHere } from '../local/programs-here.ts';
import type { LinkWatch, PodProgram, Primitive } from '../platform.ts';
import type { Inside } from './inside.ts';
import { isStandIn, PODS, resourcePath, type KubeObject, type KubePod } from './kube-object.ts';
import { openParts, type Part } from './parts.ts';
import { PodProbes, type ProbingEnv } from './pod-probes/pod-probes.ts';
import { pidOf } from './pod-watch.ts';
import { Successors } from './successors.ts';
import type { SystemFile } from './system-file.ts';

/** Whoever waits looks again and again; the server is somebody's. */
const LOOK_EVERY_MS = 100;
const EVENTS = { apiVersion: 'v1', resource: 'events' };
const NOTHING_INSIDE = 'in clusters that the lab did not start no probe of ours looks into the pods';
const NO_PROBES = `${NOTHING_INSIDE} where the file names no image for one (\`probes\`, docs/kubernetes.md)`;

interface Container {
  readonly pod: string;
  readonly podUid: string;
  readonly name: string;
  readonly part: Part;
  /** What its node had told of killing it, or another of its name in this pod, when it was first seen: a probe that failed long ago is no sign, nor that its predecessor was killed. */
  readonly toldBefore: ReadonlySet<string>;
}

/**
 * Within somebody's clusters. What is known of their processes is what the node of each says, by way of the API server: a container is gone when its node has told its end,
 * or, where its object was deleted without grace, that it is killing it; and one that runs an image in its place (a failed pod) is none. That Chaos Mesh says so, or that an object is missing, is no sign: a node that nobody reaches goes on running it.
 * What is known of their links is what probes of ours in the pods saw, where the file allows them. Clients run on this machine.
 */
export class NodesWord implements Inside {
  readonly #parts: readonly Part[];
  readonly #programs: ProgramsHere;
  readonly #probing: ProbingEnv | undefined;
  readonly #successors = new Successors();
  #probes: PodProbes | undefined;
  /** Every container that was seen running, until its end is told. */
  readonly #there = new Map<string, Container>();
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(parts: readonly Part[], programs: ProgramsHere, probing: ProbingEnv | undefined) {
    this.#parts = parts;
    this.#programs = programs;
    this.#probing = probing;
  }

  /** Asks no server. Without `probing` no probe is put into pods. Throws HarnessError `bad-input`. */
  static async open(
    system: SystemFile,
    folders: { readonly programs: string; readonly logs: string },
    probing?: ProbingEnv,
  ): Promise<NodesWord> {
    return new NodesWord(await openParts(system), new ProgramsHere(folders.programs, folders.logs), probing);
  }

  supports({ act }: Primitive): true | string {
    if (act === 'pod-kill' || act === 'pod-hold' || act === 'container-kill') return true;
    const onLinks = act === 'cut' || act === 'cut-external' || act === 'lose';
    if (onLinks && this.#probing !== undefined) return true;
    if (onLinks) return `${NO_PROBES}: whether this took effect could not be confirmed`;
    return `${NOTHING_INSIDE}: whether this took effect could not be confirmed`;
  }

  async start(originNs: bigint, signal: AbortSignal): Promise<void> {
    if (this.#probing === undefined) return;
    this.#probes = new PodProbes(this.#probing, () => Number(process.hrtime.bigint() - originNs) / 1e6);
    await this.#probes.start(this.#parts, signal);
  }

  /** Those whose end their nodes have not told (state `?`: that may be long past); one look at a time. */
  processes(pods: readonly string[]): Promise<readonly PodProcess[]> {
    const look = this.#turn.then(() => this.#look(pods));
    this.#turn = look.then(
      () => sleep(LOOK_EVERY_MS),
      () => sleep(LOOK_EVERY_MS),
    );
    return look;
  }

  async #look(names: readonly string[]): Promise<readonly PodProcess[]> {
    const listed = await Promise.all(this.#parts.map(async (part) => ({ part, pods: await podsOf(part) })));
    const all = listed.flatMap(({ pods }) => pods);
    const seen = listed.flatMap(({ part, pods }) => names.map((name) => ({ name, part, pod: this.#successors.find(name, pods) })));
    const running = seen.flatMap(({ name, part, pod }) =>
      runningIn(pod).map(({ id, container }) => ({ id, of: { pod: name, podUid: uidOf(pod), name: container, part } })),
    );
    await Promise.all(running.map(({ id, of }) => this.#remember(id, of)));
    for (const id of all.flatMap(endedIn)) this.#there.delete(id);
    const asked = [...this.#there].filter(([, { pod }]) => names.includes(pod));
    const still = await Promise.all(
      asked.map(async ([id, container]) => {
        const hasObject = all.some((pod) => uidOf(pod) === container.podUid);
        const there = hasObject || !(await isBeingKilled(container));
        if (!there) this.#there.delete(id);
        return there ? [{ pod: container.pod, pid: pidOf(id) ?? 0, startedTicks: 0, command: container.name, state: '?' }] : [];
      }),
    );
    return still.flat();
  }

  async #remember(id: string, of: Omit<Container, 'toldBefore'>): Promise<void> {
    if (!this.#there.has(id)) this.#there.set(id, { ...of, toldBefore: new Set(await killings(of)) });
  }

  runInPod(pod: string, program: string, args: readonly string[]): PodProgram {
    return this.#programs.run(pod, program, args);
  }

  async close(): Promise<readonly string[]> {
    await Promise.all([this.#programs.close(), this.#probes?.close()]);
    await this.#turn;
    return [];
  }

  reachability(pods: readonly string[], signal: AbortSignal): Promise<readonly ReachabilityCell[]> {
    return this.#probes?.reachability(pods, signal) ?? Promise.reject(new HarnessError('unsupported', NO_PROBES));
  }

  watchLinks(pairs: readonly { readonly from: string; readonly to: string }[], _: number, onlyAfter?: 'onlyAfter'): LinkWatch {
    if (this.#probes === undefined) throw new HarnessError('unsupported', NO_PROBES);
    return this.#probes.watchLinks(pairs, onlyAfter);
  }

  clocks(): Promise<never> {
    return Promise.reject(new HarnessError('unsupported', NOTHING_INSIDE));
  }

  resolve(): Promise<never> {
    return Promise.reject(new HarnessError('unsupported', NOTHING_INSIDE));
  }
}

const uidOf = (pod: KubePod | undefined): string => pod?.metadata.uid ?? '';

/** Past every cache: what is read has been so since the question was asked. */
async function podsOf({ client, namespace }: Part): Promise<readonly KubePod[]> {
  return (await client.must<{ items: readonly KubePod[] }>('GET', resourcePath(PODS, namespace))).items;
}

function runningIn(pod: KubePod | undefined): readonly { readonly id: string; readonly container: string }[] {
  return (pod?.status?.containerStatuses ?? []).flatMap((status) => {
    const { name, containerID, state } = status;
    return containerID === undefined || state.running === undefined || isStandIn(status) ? [] : [{ id: containerID, container: name }];
  });
}

function endedIn(pod: KubePod): readonly string[] {
  const ends = (pod.status?.containerStatuses ?? []).flatMap(({ state, lastState }) => [state.terminated, lastState?.terminated]);
  return ends.flatMap((end) => (end?.containerID === undefined ? [] : [end.containerID]));
}

type Killing = KubeObject & { readonly count?: number; readonly involvedObject?: { readonly fieldPath?: string } };

async function isBeingKilled(container: Container): Promise<boolean> {
  return (await killings(container)).some((one) => !container.toldBefore.has(one));
}

/** Each time that a node told that it kills a container of this name in this pod: an event that comes again has another count. One that names no container is of all. */
async function killings({ podUid, name, part }: Pick<Container, 'podUid' | 'name' | 'part'>): Promise<readonly string[]> {
  const { client, namespace } = part;
  const query = { fieldSelector: `involvedObject.uid=${podUid},reason=Killing` };
  const { items } = await client.must<{ items: readonly Killing[] }>('GET', resourcePath(EVENTS, namespace), { query });
  const its = items.filter(({ involvedObject }) => [undefined, `spec.containers{${name}}`].includes(involvedObject?.fieldPath));
  return its.map(({ metadata, count }) => `${metadata.uid} ${count}`);
}
