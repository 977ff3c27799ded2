import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { NO_LONGER_NEEDED } from '../platform/abort.ts';
import type { Clock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { HttpsClient, parseJson, type CallResult } from '../platform/https-client.ts';
import type { Credentials } from '../platform/tls.ts';
import type { Arbiter, CasResult, RecordName, Records, Snapshot } from './arbiter.ts';
import {
  applyWatch,
  casRequest,
  decodeKeyValue,
  decodeSnapshot,
  rangeReplyShape,
  rangeRequest,
  sameRecords,
  txnReplyShape,
  watchReplyShape,
  watchRequest,
} from './etcd-wire.ts';
import { encodeRecord, refusedBy } from './record-text.ts';

/** A watch is begun anew so often at the latest; nothing is missed, it starts at the revision where the last one ended. */
const WATCH_LIFE_MS = 10 * 60_000;

export interface EtcdOptions {
  readonly endpoints: readonly string[];
  readonly prefix: string;
  readonly credentials: Credentials;
  /** Limit of one request to one member. */
  readonly rpcMs: number;
  /** A watch that says nothing for so long is compared with a read: its member may be cut off from the others without noticing. */
  readonly silenceMs: number;
  readonly clock: Clock;
}

/** The Arbiter on etcd 3.4+ by its JSON gateway. Every request tries the member that answered last first, then the others. */
export function openEtcd(options: EtcdOptions): Arbiter {
  return new EtcdArbiter(options);
}

class EtcdArbiter implements Arbiter {
  readonly #options: EtcdOptions;
  readonly #client: HttpsClient;
  /** Members, the one that answered last first. */
  #members: readonly string[];

  constructor(options: EtcdOptions) {
    this.#options = options;
    this.#members = options.endpoints.map((endpoint) => endpoint.replace(/\/$/, ''));
    this.#client = new HttpsClient(options.credentials);
  }

  async read(signal?: AbortSignal): Promise<Snapshot> {
    const reply = await this.#ask({ path: '/v3/kv/range', body: rangeRequest(this.#options.prefix), shape: rangeReplyShape }, signal);
    if (reply === null)
      throw new EngineError('arbiter-unavailable', `no etcd member answered, or what answered is no etcd (${this.#members.join(', ')})`);
    return decodeSnapshot(this.#options.prefix, reply);
  }

  async cas<K extends RecordName>(
    record: K,
    expected: number | null,
    value: Records[K],
    signal?: AbortSignal,
  ): Promise<CasResult<Records[K]>> {
    const text = encodeRecord(record, value);
    // Sent to the next member where one gave no answer: if the first was applied after all, the second is refused and shows our own value.
    const body = casRequest(this.#options.prefix + record, expected, text);
    const reply = await this.#ask({ path: '/v3/kv/txn', body, shape: txnReplyShape }, signal);
    if (reply === null) return { ok: false, reason: 'unknown' };
    const { succeeded, header, responses } = reply;
    if (succeeded) return { ok: true, revision: header.revision };
    const kv = responses[0]?.response_range?.kvs[0];
    if (kv === undefined) return { ok: false, reason: 'conflict', current: null };
    return refusedBy(record, decodeKeyValue(record, kv), text);
  }

  async watch(onRecords: (snapshot: Snapshot) => void, signal: AbortSignal): Promise<void> {
    let known: Snapshot | null = null;
    const learn = (snapshot: Snapshot): void => {
      if (known !== null && (snapshot.revision < known.revision || sameRecords(known, snapshot))) return;
      known = snapshot;
      onRecords(snapshot);
    };
    while (!signal.aborted) {
      try {
        learn(await this.read(signal));
        // Whoever answered that read stands first and is followed: a member that is down or in a minority cannot have answered it.
        if (known !== null) await this.#follow(this.#members[0] as string, known, learn, signal);
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof EngineError && error.code === 'arbiter-unavailable')) throw error;
      }
      await this.#options.clock.sleep(this.#options.rpcMs, signal).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  /** Returns when the stream ends or was found to be behind. */
  async #follow(member: string, from: Snapshot, learn: (snapshot: Snapshot) => void, signal: AbortSignal): Promise<void> {
    const { prefix, clock, silenceMs } = this.#options;
    const ending = new AbortController();
    const either = AbortSignal.any([signal, ending.signal]);
    let known = from;
    let heardAtMs = clock.monotonicMs();
    const listen = async (): Promise<void> => {
      const body = watchRequest(prefix, from.revision + 1);
      const opened = await this.#client.open(`${member}/v3/watch`, { method: 'POST', body, timeoutMs: WATCH_LIFE_MS, signal: either });
      if (opened.kind !== 'reply') return;
      for await (const reply of messages(opened.stream)) {
        if (reply.canceled) return;
        heardAtMs = clock.monotonicMs();
        known = applyWatch(prefix, known, reply);
        learn(known);
      }
    };
    const compare = async (): Promise<void> => {
      while (!either.aborted) {
        await clock.sleep(silenceMs, either);
        if (clock.monotonicMs() - heardAtMs < silenceMs) continue;
        const now = await this.read(either).catch(() => null);
        if (now === null || sameRecords(now, known)) continue;
        learn(now);
        return;
      }
    };
    const ended = [listen(), compare()].map((part) =>
      part.catch((error: unknown) => {
        // Streams break and sleeps are aborted; a record that cannot be read is the one thing to tell.
        if (error instanceof EngineError && error.code === 'internal') throw error;
      }),
    );
    try {
      await Promise.race(ended);
    } finally {
      ending.abort();
      await Promise.allSettled(ended);
    }
  }

  /**
   * The answer of the first member that gives one, or null when none did: then the request may have been carried out. After `rpcMs` without one the next member is asked as well, but the
   * first is not cut off: on a busy machine its answer still comes, and every connection cut is a handshake more.
   */
  async #ask<T>(request: Request<T>, signal: AbortSignal | undefined): Promise<T | null> {
    const { clock, rpcMs } = this.#options;
    const members = this.#members;
    const deadlineMs = clock.monotonicMs() + members.length * rpcMs;
    const asked: Promise<T | undefined>[] = [];
    let answer: T | undefined;
    for (const member of members) {
      if (signal?.aborted === true) return null;
      const one = this.#askOne(member, { ...request, timeoutMs: Math.max(1, deadlineMs - clock.monotonicMs()) }, signal).then(
        (reply) => (answer ??= reply),
      );
      asked.push(one);
      const patience = new AbortController();
      const waited = clock.sleep(rpcMs, patience.signal).catch(() => undefined);
      // Refusals come at once: when nobody is left to answer, the next one is asked at once.
      await Promise.race([waited, firstAnswer(asked)]);
      patience.abort(NO_LONGER_NEEDED);
      if (answer !== undefined) return answer;
    }
    await firstAnswer(asked);
    return answer ?? null;
  }

  async #askOne<T>(
    member: string,
    request: Request<T> & { readonly timeoutMs: number },
    signal: AbortSignal | undefined,
  ): Promise<T | undefined> {
    const { path, body, timeoutMs, shape } = request;
    const result = await this.#client.call(member + path, { method: 'POST', body, timeoutMs, ...(signal === undefined ? {} : { signal }) });
    const answer = answerOf(result, shape);
    if (answer !== undefined && this.#members[0] !== member) this.#members = [member, ...this.#members.filter((other) => other !== member)];
    return answer;
  }
}

interface Request<T> {
  readonly path: string;
  readonly body: string;
  /** What is not of this shape is no answer: the endpoint is something else. */
  readonly shape: z.ZodType<T>;
}

/** Resolves with the first that is an answer, or undefined when all have ended without one. */
function firstAnswer(asked: readonly Promise<unknown>[]): Promise<unknown> {
  return new Promise((resolve) => {
    for (const one of asked) void one.then((reply) => (reply === undefined ? undefined : resolve(reply)));
    void Promise.all(asked).then(() => resolve(undefined));
  });
}

/** Anything but 200 (no leader, shutting down, time-out inside etcd) leaves it open whether the request was carried out. */
function answerOf<T>(result: CallResult, shape: z.ZodType<T>): T | undefined {
  return result.kind === 'reply' && result.status === 200 ? shape.safeParse(parseJson(result.body)).data : undefined;
}

async function* messages(stream: Readable): AsyncGenerator<ReturnType<typeof watchReplyShape.parse>['result']> {
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    const parsed = watchReplyShape.safeParse(JSON.parse(line));
    if (!parsed.success) return;
    yield parsed.data.result;
  }
}
