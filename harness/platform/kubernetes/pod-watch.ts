import { createHash } from 'node:crypto';
import type { PodChanged } from '../../history/event.ts';
import { isStandIn, type ContainerEnd, type ContainerStatus, type KubePod } from './kube-object.ts';
import type { Seen } from './reflector.ts';

export type PodNews = Omit<PodChanged, 'kind' | 'pod' | 'region'>;

interface Known {
  id: string | undefined;
  ready: boolean;
  ended: string | undefined;
  deleted: boolean;
}

export interface Told {
  readonly news: readonly PodNews[];
  /** A process that was taken away with its object, so that nobody will say how it ended: whoever wants to know has to look. */
  readonly orphan?: number;
  /** A container that has just begun. */
  readonly began?: string;
}

/**
 * What happened to pods, from what their objects say: the node's word, as the local lab's supervisor has its own. States that were never seen
 * are worked out from what is left of them (a container's end stays as its last state). Knows every pod by its uid.
 */
export class PodNewsReader {
  readonly #known = new Map<string, Known>();

  /** first: from the list with which following began; its past is no news. */
  read({ change, object }: Seen<KubePod>, first: boolean): Told {
    const uid = object.metadata.uid ?? '';
    const known = this.#known.get(uid) ?? { id: undefined, ready: false, ended: undefined, deleted: false };
    this.#known.set(uid, known);
    const [container] = object.status?.containerStatuses ?? [];
    if (first && container !== undefined) known.ended = endOf(container)?.containerID;
    const news = [...ended(known, container), ...deleted(known, object, change === 'gone'), ...begun(known, container)];
    const began = news.some((one) => one.change === 'started') ? known.id : undefined;
    if (change !== 'gone') return began === undefined ? { news } : { news, began };
    this.#known.delete(uid);
    const pid = known.id === known.ended ? undefined : pidOf(known.id);
    return pid === undefined ? { news } : { news, orphan: pid };
  }
}

/** `process://N`, as the node without containers calls them; of elsewhere a number that stands for this container and no other. */
export const pidOf = (id: string | undefined): number | undefined => {
  if (id === undefined) return undefined;
  const match = /^process:\/\/(\d+)$/.exec(id);
  return match === null ? createHash('sha256').update(id).digest().readUIntBE(0, 6) : Number(match[1]);
};

const SIGNALS: Readonly<Record<number, string>> = { 9: 'SIGKILL', 15: 'SIGTERM' };
const endOf = (container: ContainerStatus): ContainerEnd | undefined => container.state.terminated ?? container.lastState?.terminated;
const withPid = (id: string | undefined): { pid?: number } => {
  const pid = pidOf(id);
  return pid === undefined ? {} : { pid };
};

function ended(known: Known, container: ContainerStatus | undefined): readonly PodNews[] {
  const end = container === undefined ? undefined : endOf(container);
  if (end?.containerID === undefined || end.containerID === known.ended) return [];
  known.ended = end.containerID;
  known.ready = false;
  const signal = end.signal === undefined ? null : (SIGNALS[end.signal] ?? String(end.signal));
  return [{ change: 'exited', exitCode: signal === null ? end.exitCode : null, signal, ...withPid(end.containerID) }];
}

function deleted(known: Known, object: KubePod, gone: boolean): readonly PodNews[] {
  if (known.deleted || (object.metadata.deletionTimestamp === undefined && !gone)) return [];
  known.deleted = true;
  return known.id === undefined ? [] : [{ change: 'killed', ...withPid(known.id) }];
}

/** A pod in which another image stands in for its program has not begun again. */
function begun(known: Known, container: ContainerStatus | undefined): readonly PodNews[] {
  if (container === undefined || isStandIn(container)) return [];
  const news: PodNews[] = [];
  if (container.state.running !== undefined && container.containerID !== undefined && container.containerID !== known.id) {
    known.id = container.containerID;
    known.ready = false;
    news.push({ change: 'started', ...withPid(known.id) });
  }
  if (container.ready && !known.ready) {
    known.ready = true;
    news.push({ change: 'ready', ...withPid(known.id) });
  }
  return news;
}
