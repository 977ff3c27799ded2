import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { refusal, type KubeClient } from './kube-client.ts';
import type { KubeObject } from './kube-object.ts';
import { Refusals } from './patience.ts';

/** The server ends a watch after so long; the next one goes on where it ended. */
const WATCH_SECONDS = 240;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;
const GONE = 410;

export interface Seen<T> {
  /** `gone`: deleted, or no longer in the list after an interruption in which nobody could watch. */
  readonly change: 'appeared' | 'changed' | 'gone';
  readonly object: T;
}

interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T & { readonly code?: number };
}

/**
 * Follows a collection of the API: lists it, watches from there, and lists again when the server no longer knows where we were (410). No change
 * of state is missed: what came and went while nobody could look is told as the difference between two lists, by uid. A watch that ends, breaks
 * off or finds no server is taken up again until the signal aborts.
 */
export class Reflector<T extends KubeObject> {
  readonly #client: KubeClient;
  readonly #path: string;
  readonly #query: Readonly<Record<string, string>>;
  readonly #onSeen: (seen: Seen<T>) => void;
  readonly #objects = new Map<string, T>();
  readonly #synced = Promise.withResolvers<void>();
  #version: string | undefined;

  constructor(client: KubeClient, path: string, onSeen: (seen: Seen<T>) => void, query: Readonly<Record<string, string>> = {}) {
    this.#client = client;
    this.#path = path;
    this.#query = query;
    this.#onSeen = onSeen;
    this.#synced.promise.catch(() => undefined); // whoever awaits it gets it
  }

  /** Resolves with the first list; rejects when the signal aborts before, or the server goes on forbidding it. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  objects(): readonly T[] {
    return [...this.#objects.values()];
  }

  /** Resolves when the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    const refusals = new Refusals();
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list(signal);
        refusals.areMeant(false);
        const saw = await this.#watch(signal);
        pauseMs = saw ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      } catch (error) {
        if (refusals.areMeant(isRefusal(error))) this.#synced.reject(error);
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
    this.#synced.reject(signal.reason);
  }

  async #list(signal: AbortSignal): Promise<void> {
    const answer = await this.#client.ask<{ items: readonly T[]; metadata: { resourceVersion: string } }>('GET', this.#path, {
      query: this.#query,
      signal,
    });
    if (answer.status !== 200) throw refusal(`GET ${this.#path}`, answer);
    const { items, metadata } = answer.body;
    const there = new Set(items.map(uidOf));
    for (const [uid, object] of this.#objects) if (!there.has(uid)) this.#drop(object);
    for (const object of items) this.#take(object);
    this.#version = metadata.resourceVersion;
    this.#synced.resolve();
  }

  /** Whether anything came. */
  async #watch(signal: AbortSignal): Promise<boolean> {
    let saw = false;
    const query = { ...this.#query, watch: 1, allowWatchBookmarks: 1, timeoutSeconds: WATCH_SECONDS, resourceVersion: this.#version ?? '' };
    const ended = new AbortController();
    const onLine = (line: string): void => {
      if (line === '' || ended.signal.aborted) return;
      saw = true;
      this.#onEvent(parseJson(line) as WatchEvent<T> | undefined, () => ended.abort(new Error('the watch expired')));
    };
    const status = await this.#client.stream(this.#path, query, onLine, AbortSignal.any([signal, ended.signal])).catch((error: unknown) => {
      if (ended.signal.aborted) return GONE;
      throw error;
    });
    if (status === GONE) this.#version = undefined;
    return saw && status === 200;
  }

  #onEvent(event: WatchEvent<T> | undefined, expire: () => void): void {
    if (event === undefined) return; // cut in the middle: the watch ends, and the next one tells it again
    if (event.type === 'ERROR') {
      this.#version = undefined; // expired, or something worse: a list knows the truth in either case
      return expire();
    }
    const { object } = event;
    if (object.metadata.resourceVersion !== undefined) this.#version = object.metadata.resourceVersion;
    if (event.type === 'BOOKMARK') return;
    if (event.type === 'DELETED') this.#drop(object);
    else this.#take(object);
  }

  #take(object: T): void {
    const uid = uidOf(object);
    const had = this.#objects.get(uid);
    if (had?.metadata.resourceVersion === object.metadata.resourceVersion && had !== undefined) return;
    this.#objects.set(uid, object);
    this.#onSeen({ change: had === undefined ? 'appeared' : 'changed', object });
  }

  #drop(object: T): void {
    if (this.#objects.delete(uidOf(object))) this.#onSeen({ change: 'gone', object });
  }
}

const uidOf = (object: KubeObject): string => object.metadata.uid ?? `${object.metadata.namespace}/${object.metadata.name}`;

const isRefusal = (error: unknown): boolean => error instanceof HarnessError && /: (401|403|404) /.test(error.message);
