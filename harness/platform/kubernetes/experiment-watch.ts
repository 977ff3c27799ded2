import { HarnessError } from '../errors.ts';
import { abortable } from '../abortable.ts';
import type { KubeClient } from './kube-client.ts';
import { resourcePath, type ChaosObject } from './kube-object.ts';
import { isInjected } from './records.ts';
import { Reflector } from './reflector.ts';

const EVENTS = { apiVersion: 'v1', resource: 'events' };

export interface Place {
  readonly apiVersion: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

export const pathOf = ({ apiVersion, resource, namespace, name }: Place): string => resourcePath({ apiVersion, resource }, namespace, name);

/** Follows one experiment in its cluster, through interruptions, until close(). */
export class ExperimentWatch {
  readonly #client: KubeClient;
  readonly #place: Place;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #waiting = new Set<() => void>();
  #object: ChaosObject | undefined;
  #gone = false;
  #listed = false;

  /** onChange is told of every state, the last one included, after which it is gone. */
  constructor(client: KubeClient, place: Place, onChange: (object: ChaosObject, isGone: boolean) => void) {
    this.#client = client;
    this.#place = place;
    const { apiVersion, resource, namespace, name } = place;
    const query = { fieldSelector: `metadata.name=${name}` };
    const follower = new Reflector<ChaosObject>(
      client,
      resourcePath({ apiVersion, resource }, namespace),
      ({ change, object }) => {
        this.#gone = change === 'gone';
        this.#object = object;
        onChange(object, this.#gone);
        for (const look of this.#waiting) look();
      },
      query,
    );
    this.#running = follower.run(this.#stop.signal);
    void follower.synced.then(
      () => {
        this.#listed = true;
        for (const look of this.#waiting) look();
      },
      () => undefined, // closed before, or not allowed: whoever waits says so in time
    );
  }

  get object(): ChaosObject | undefined {
    return this.#object;
  }

  /** Resolves with an object that says that it is injected, and is as yet. Throws HarnessError `timeout`, with what the cluster says of it, when the signal aborts first. */
  async untilInjected(signal: AbortSignal): Promise<ChaosObject> {
    await this.#until(() => this.#object !== undefined && !this.#gone && isInjected(this.#object), signal, 'AllInjected');
    return this.#object as ChaosObject;
  }

  /** After its deletion was asked for: resolves when the cluster no longer has it, its finalizers done. */
  async untilGone(signal: AbortSignal): Promise<void> {
    await this.#until(() => this.#gone || (this.#listed && this.#object === undefined), signal, 'gone');
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('nobody follows it any more'));
    await this.#running;
  }

  async #until(is: () => boolean, signal: AbortSignal, what: string): Promise<void> {
    // Several changes may be told at once: what was so may be over when whoever waits goes on.
    while (!is()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      try {
        await abortable(promise, signal);
      } catch (cause) {
        throw new HarnessError(
          'timeout',
          `${this.#place.resource} ${this.#place.name} did not become ${what}: ${await this.#said()}`,
          cause,
        );
      } finally {
        this.#waiting.delete(resolve);
      }
    }
  }

  /** Conditions and the cluster's last warnings, for people. */
  async #said(): Promise<string> {
    const object = this.#object;
    if (object === undefined) return 'nothing was seen of it';
    const conditions = (object.status?.conditions ?? []).map(({ type, status }) => `${type} ${status}`).join(', ') || 'no conditions';
    const finalizers = object.metadata.finalizers?.join(', ') ?? '';
    const failed = (object.status?.experiment?.containerRecords ?? []).flatMap((record) =>
      (record.events ?? []).filter((event) => event.type === 'Failed').map((event) => `${record.id}: ${event.message ?? event.operation}`),
    );
    const warnings = await this.#warnings(object).catch(() => []);
    return [conditions, ...(finalizers === '' ? [] : [`finalizers ${finalizers}`]), ...failed.slice(-2), ...warnings.slice(-2)].join('; ');
  }

  async #warnings(object: ChaosObject): Promise<readonly string[]> {
    const query = { fieldSelector: `involvedObject.uid=${object.metadata.uid ?? ''},type=Warning` };
    const { items } = await this.#client.must<{ items: readonly { message: string }[] }>(
      'GET',
      resourcePath(EVENTS, this.#place.namespace),
      {
        query,
      },
    );
    return items.map(({ message }) => message);
  }
}
