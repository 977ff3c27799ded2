import { randomUUID } from 'node:crypto';
import type { Arbiter, Journal } from './arbiter.ts';
import type { Config } from './config.ts';
import { publishName, readName } from './dns-update.ts';
import type { Client } from './https.ts';
import { nowMs, type Log } from './log.ts';
import type { DatabaseStatus, Observer } from './observer.ts';
import type { Sentences } from './sentences.ts';
import { pause } from './wait.ts';

export interface FailoverParts {
  readonly config: Config;
  readonly client: Client;
  readonly arbiter: Arbiter;
  readonly observer: Observer;
  readonly say: Log;
  readonly sentences: Sentences;
}
interface Sealed {
  readonly region: string;
  readonly lastEpoch: number;
  readonly lastIndex: number;
}

/** Performs failovers, each step journalled by compare-and-swap before it acts, so that another controller can go on. */
export class Failover {
  readonly #parts: FailoverParts;
  #journal: { readonly value: Journal; readonly revision: number } | null = null;
  /** When the old holder last renewed, as far as we saw; no renewal can follow the epoch that we won after it. */
  #renewed: { readonly epoch: number; readonly lastMs: number } | null = null;

  constructor(parts: FailoverParts) {
    this.#parts = parts;
  }

  get step(): string {
    return this.#journal?.value.step ?? 'OBSERVE';
  }
  get open(): boolean {
    return this.#journal !== null && !['DONE', 'ABORTED'].includes(this.#journal.value.step);
  }
  get last(): Journal | null {
    return this.#journal?.value ?? null;
  }

  /** Reads the journal again: what another controller has left. */
  async refresh(): Promise<void> {
    const { value, revision } = await this.#parts.arbiter.read('failover');
    this.#journal = value && { value, revision };
  }

  /** Opens a journal and performs it. `to` is what the operator asked for, or null. */
  async begin(from: string, to: string | null, intent: 'automatic' | 'operator', signal: AbortSignal): Promise<void> {
    const { observer, say } = this.#parts;
    await this.refresh();
    const epoch = (observer.lease.value?.epoch ?? 0) + 1;
    const first = { runId: randomUUID(), epoch, from, to, step: 'GATE', intent };
    await this.#write(first);
    say('failover_initiated', { ...first });
    await this.resume(signal);
  }

  /** Goes on with the open journal, from where the lease shows it to be. @throws when a step fails: call again. */
  async resume(signal: AbortSignal): Promise<void> {
    const { observer, say } = this.#parts;
    const journal = this.#current();
    await observer.readLease();
    const lease = observer.lease.value;
    if (lease && lease.epoch > journal.epoch) {
      say('failover_aborted', { runId: journal.runId, reason: `epoch ${lease.epoch} has passed it` });
      return this.#step('ABORTED');
    }
    if (lease?.epoch !== journal.epoch) await this.#acquire(journal);
    if (observer.lease.value?.holder === null) await this.#moveDatabase(journal, signal);
    const region = observer.lease.value?.holder ?? '';
    await this.#untilWritable(journal, region, signal);
    if (this.step !== 'VERIFY_E2E') {
      await this.#step('ROUTE');
      await this.route('failover', region, journal.epoch);
      await this.#step('VERIFY_E2E');
    }
    await this.#verify(journal, region, signal);
    await this.#step('DONE');
    say('failover_complete', { runId: journal.runId, epoch: journal.epoch, from: journal.from, to: region });
  }

  /** Points the service name at this region. */
  route(why: 'start' | 'failover', region: string, epoch: number): Promise<void> {
    const { config, say, sentences } = this.#parts;
    return sentences.route(why, async () => {
      await publishName(config.dns, config.regions[region]?.addresses ?? [], epoch);
      say('dns_updated', { region, epoch });
    });
  }

  async #acquire(journal: Journal): Promise<void> {
    const { arbiter, observer, say } = this.#parts;
    await this.#step('ACQUIRE');
    const pending = { epoch: journal.epoch, holder: null, incarnation: journal.runId, seq: 0 };
    for (let attempt = 0; attempt < 10; attempt++) {
      const { value, revision, changedMs } = observer.lease;
      if (value && value.epoch >= journal.epoch) throw new Error('the lease has moved on');
      const won = await arbiter.swap('lease', pending, revision);
      await observer.readLease();
      if (won === null) continue;
      this.#renewed = { epoch: journal.epoch, lastMs: changedMs };
      return say('epoch_acquired', { runId: journal.runId, epoch: journal.epoch });
    }
    throw new Error('the holder renews faster than we can acquire');
  }

  async #moveDatabase(journal: Journal, signal: AbortSignal): Promise<void> {
    const { config, arbiter, say } = this.#parts;
    const { runId, epoch } = journal;
    await this.#step('FENCE');
    const renewedMs = this.#renewed?.epoch === epoch ? this.#renewed.lastMs : this.#parts.observer.lease.changedMs;
    const confirmed = await this.#post(
      journal.from,
      'fence',
      { epoch, drain: journal.intent === 'operator' },
      journal.intent === 'operator' ? 2000 : 150,
    );
    const waitMs = confirmed ? 0 : Math.max(0, renewedMs + config.policy.successorWaitsMs - nowMs());
    const replication = (await arbiter.read('replication')).value;
    const set = replication?.mode === 'sync' ? replication.set : Object.keys(config.regions).filter((r) => r !== journal.from);
    const needed = replication?.mode === 'sync' ? set.length - replication.w + 1 : 1;
    const [sealed] = await Promise.all([this.#seal(set, needed, epoch, signal), pause(waitMs, signal)]);
    say('fence_confirmed', { runId, epoch, by: confirmed ? 'holder' : 'time' });
    const better = (a: Sealed, b: Sealed): number =>
      b.lastEpoch - a.lastEpoch || b.lastIndex - a.lastIndex || Number(b.region === journal.to) - Number(a.region === journal.to);
    const chosen = [...sealed].sort(better)[0];
    if (!chosen) throw new Error('nobody to promote');
    await this.#step('PROMOTE', chosen.region);
    if (!(await this.#post(chosen.region, 'promote', { epoch }, config.policy.stepTimeoutMs))) {
      throw new Error(`${chosen.region} could not be promoted`);
    }
    await this.#parts.observer.readLease();
  }

  /** Seals what it can reach of the set until enough are sealed. */
  async #seal(set: readonly string[], needed: number, epoch: number, signal: AbortSignal): Promise<readonly Sealed[]> {
    const { policy } = this.#parts.config;
    const deadlineMs = nowMs() + policy.stepTimeoutMs;
    do {
      const replies = await Promise.all(set.map((region) => this.#post(region, 'seal', { epoch }, policy.appendTimeoutMs)));
      const sealed = replies.flatMap((reply, n) => (reply ? [{ ...(reply as Sealed), region: set[n] ?? '' }] : []));
      if (sealed.length >= needed) return sealed;
      await pause(50, signal);
    } while (nowMs() < deadlineMs && !signal.aborted);
    throw new Error(`fewer than ${needed} of ${set.join(', ')} could be sealed`);
  }

  async #untilWritable(journal: Journal, region: string, signal: AbortSignal): Promise<void> {
    const { config, client, say } = this.#parts;
    if (['ROUTE', 'VERIFY_E2E'].includes(this.step)) return;
    await this.#step('VERIFY_DB', region);
    const deadlineMs = nowMs() + config.policy.stepTimeoutMs;
    const url = `${config.regions[region]?.database}/v1/status`;
    while (nowMs() < deadlineMs && !signal.aborted) {
      const status = (await client.json('GET', url, undefined, config.policy.appendTimeoutMs).catch(() => null)) as DatabaseStatus | null;
      if (status?.writable === true && status.epoch >= journal.epoch)
        return say('promoted', { runId: journal.runId, epoch: journal.epoch, region });
      await pause(20, signal);
    }
    throw new Error(`${region} did not become writable`);
  }

  /** Through the front door: the new region's api answers a read as primary, and the name carries our epoch. */
  async #verify(journal: Journal, region: string, signal: AbortSignal): Promise<void> {
    const { config, client, say } = this.#parts;
    const url = `${config.regions[region]?.api}/v1/kv/coditect-dr%2Fverify`;
    for (let attempt = 0; attempt < 20 && !signal.aborted; attempt++) {
      const reply = await client.ask('GET', url, undefined, 500).catch(() => null);
      const name = await readName(config.dns).catch(() => null);
      if (reply && [200, 404].includes(reply.status)) {
        const routed = name !== null && name.epoch >= journal.epoch;
        return say('failover_verified', { runId: journal.runId, epoch: journal.epoch, region, routed });
      }
      await pause(100, signal);
    }
    throw new Error(`the api of ${region} does not serve`);
  }

  #current(): Journal {
    if (!this.#journal) throw new Error('no journal is open');
    return this.#journal.value;
  }

  async #step(step: string, to?: string): Promise<void> {
    const now = this.#current();
    if (now.step === step) return;
    await this.#write({ ...now, step, to: to ?? now.to });
  }

  async #write(value: Journal): Promise<void> {
    const revision = await this.#parts.arbiter.swap('failover', value, this.#journal?.revision ?? 0);
    if (revision === null) throw new Error('another controller has written the journal');
    this.#journal = { value, revision };
  }

  /** null: no answer, or refused. */
  async #post(region: string, route: 'fence' | 'seal' | 'promote', body: unknown, timeoutMs: number): Promise<unknown> {
    const url = `${this.#parts.config.regions[region]?.database}/v1/${route}`;
    return this.#parts.client.json('POST', url, body, timeoutMs).catch(() => null);
  }
}
