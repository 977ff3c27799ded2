import type { Config } from './config.ts';
import type { Client } from './https.ts';

export interface LeaseRecord {
  readonly epoch: number;
  readonly holder: string | null;
  readonly incarnation: string;
  readonly seq: number;
}
export interface ReplicationRecord {
  readonly epoch: number;
  readonly mode: 'sync' | 'async';
  readonly set: readonly string[];
  readonly w: number;
}
export interface Journal {
  readonly runId: string;
  readonly epoch: number;
  readonly from: string;
  readonly to: string | null;
  readonly step: string;
  readonly intent: string;
}
export interface LeaderRecord {
  readonly region: string;
  readonly incarnation: string;
  readonly seq: number;
}
interface Records {
  readonly lease: LeaseRecord;
  readonly replication: ReplicationRecord;
  readonly failover: Journal;
  readonly leader: LeaderRecord;
}
/** revision 0: there is no such record. */
export interface Versioned<T> {
  readonly value: T | null;
  readonly revision: number;
}

interface Kv {
  readonly value: string;
  readonly mod_revision: string;
}
interface TxnReply {
  readonly header: { readonly revision: string };
  readonly succeeded?: boolean;
}

/** The compare-and-swap store: etcd through its JSON gateway, every member tried in turn. */
export class Arbiter {
  readonly #client: Client;
  readonly #prefix: string;
  readonly #timeoutMs: number;
  #endpoints: readonly string[];

  constructor(config: Config, client: Client) {
    this.#client = client;
    this.#prefix = config.arbiter.prefix;
    this.#endpoints = config.arbiter.endpoints;
    this.#timeoutMs = config.policy.arbiterRpcMs;
  }

  /** @throws when no member answers. */
  async read<K extends keyof Records>(name: K): Promise<Versioned<Records[K]>> {
    const reply = (await this.#call('/v3/kv/range', { key: this.#key(name) })).body as { kvs?: readonly Kv[] };
    const kv = reply.kvs?.[0];
    if (!kv) return { value: null, revision: 0 };
    return { value: JSON.parse(Buffer.from(kv.value, 'base64').toString('utf8')) as Records[K], revision: Number(kv.mod_revision) };
  }

  /**
   * Writes the record if it still has this revision (and the guard, if given, has its own): the new revision, or null when refused.
   * An attempt that got no answer is settled by reading: values are unique, so finding ours means that it was done.
   * @throws when no member answers: undecided.
   */
  async swap<K extends keyof Records>(
    name: K,
    value: Records[K],
    revision: number,
    guard?: { readonly name: keyof Records; readonly revision: number },
  ): Promise<number | null> {
    const is = (key: keyof Records, is: number): unknown => ({
      key: this.#key(key),
      target: 'MOD',
      result: 'EQUAL',
      mod_revision: String(is),
    });
    const text = JSON.stringify(value);
    const { body, attempts } = await this.#call('/v3/kv/txn', {
      compare: [is(name, revision), ...(guard ? [is(guard.name, guard.revision)] : [])],
      success: [{ request_put: { key: this.#key(name), value: Buffer.from(text).toString('base64') } }],
    });
    const reply = body as TxnReply;
    if (reply.succeeded === true) return Number(reply.header.revision);
    if (attempts === 1) return null;
    const now = await this.read(name);
    return now.value !== null && JSON.stringify(now.value) === text ? now.revision : null;
  }

  #key(name: string): string {
    return Buffer.from(this.#prefix + name).toString('base64');
  }

  async #call(path: string, body: unknown): Promise<{ readonly body: unknown; readonly attempts: number }> {
    let attempts = 0;
    const errors: string[] = [];
    for (const endpoint of this.#endpoints) {
      attempts++;
      try {
        const reply = await this.#client.ask('POST', endpoint + path, JSON.stringify(body), this.#timeoutMs);
        if (reply.status === 200) return { body: JSON.parse(reply.text), attempts };
        errors.push(`${endpoint}: ${reply.status} ${reply.text.slice(0, 200)}`);
      } catch (error) {
        errors.push((error as Error).message);
      }
      this.#endpoints = [...this.#endpoints.filter((e) => e !== endpoint), endpoint];
    }
    throw new Error(`no member of the arbiter answered: ${errors.join('; ')}`);
  }
}
