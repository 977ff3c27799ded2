import type { Arbiter, LeaseRecord, Versioned } from './arbiter.ts';
import type { Config } from './config.ts';
import type { Client } from './https.ts';
import { nowMs, type Log } from './log.ts';
import { pause } from './wait.ts';

export interface DatabaseStatus {
  readonly role: string;
  readonly epoch: number;
  readonly writable: boolean;
  readonly commitIndex: number;
  readonly standbys: Readonly<Record<string, { readonly lagMs: number }>>;
}
export interface Vote {
  readonly region: string;
  readonly primary: string | null;
  readonly epoch: number;
  readonly verdict: 'ok' | 'suspect';
  readonly commitAgeMs: number | null;
  readonly seq: number;
}

/** What this region sees of the primary and of the lease; it decides nothing. */
export class Observer {
  readonly #config: Config;
  readonly #client: Client;
  readonly #arbiter: Arbiter;
  readonly #say: Log;
  #lease: Versioned<LeaseRecord> = { value: null, revision: 0 };
  #leaseChangedMs = nowMs();
  #primary: string | null = null;
  #succeededMs = nowMs();
  #committedMs: number | null = null;
  #last: { readonly status: DatabaseStatus; readonly atMs: number } | null = null;
  #suspected = false;
  #seq = 0;

  constructor(config: Config, client: Client, arbiter: Arbiter, say: Log) {
    this.#config = config;
    this.#client = client;
    this.#arbiter = arbiter;
    this.#say = say;
  }

  /** The lease as last read, and when we last saw it change. */
  get lease(): Versioned<LeaseRecord> & { readonly changedMs: number } {
    return { ...this.#lease, changedMs: this.#leaseChangedMs };
  }
  get primary(): string | null {
    return this.#primary;
  }
  /** The last answer of the primary and its age. */
  get sample(): { readonly status: DatabaseStatus; readonly ageMs: number } | null {
    return this.#last && { status: this.#last.status, ageMs: nowMs() - this.#last.atMs };
  }

  vote(): Vote {
    return {
      region: this.#config.region,
      primary: this.#primary,
      epoch: this.#lease.value?.epoch ?? 0,
      verdict: nowMs() - this.#succeededMs > this.#config.policy.suspectAfterMs ? 'suspect' : 'ok',
      commitAgeMs: this.#committedMs === null ? null : Math.round(nowMs() - this.#committedMs),
      seq: ++this.#seq,
    };
  }

  /** Reads the lease now. @throws when the arbiter does not answer. */
  async readLease(): Promise<void> {
    const now = await this.#arbiter.read('lease');
    if (now.revision === this.#lease.revision) return;
    this.#lease = now;
    this.#leaseChangedMs = nowMs();
    const holder = now.value?.holder ?? null;
    if (holder === null || holder === this.#primary) return;
    this.#primary = holder;
    this.#succeededMs = nowMs();
    this.#committedMs = null;
    this.#last = null;
  }

  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.readLease().catch(() => undefined);
      await pause(this.#config.policy.leaseRenewMs, signal);
    }
  }

  async probe(signal: AbortSignal): Promise<void> {
    const { probePeriodMs } = this.#config.policy;
    while (!signal.aborted) {
      const startMs = nowMs();
      if (this.#primary !== null) await this.#probeOnce(this.#primary);
      this.#noteSuspicion();
      await pause(Math.max(1, startMs + probePeriodMs - nowMs()), signal);
    }
  }

  async #probeOnce(primary: string): Promise<void> {
    try {
      const url = `${this.#config.regions[primary]?.database}/v1/status`;
      const status = (await this.#client.json('GET', url, undefined, this.#config.policy.probeTimeoutMs)) as DatabaseStatus | null;
      if (status?.role !== 'primary' || primary !== this.#primary) return;
      this.#succeededMs = nowMs();
      if (this.#last && status.commitIndex > this.#last.status.commitIndex) this.#committedMs = nowMs();
      this.#last = { status, atMs: nowMs() };
    } catch {
      // No success: time decides what that means.
    }
  }

  #noteSuspicion(): void {
    const suspected = this.#primary !== null && this.vote().verdict === 'suspect';
    if (suspected && !this.#suspected) this.#say('primary_suspected', { primary: this.#primary }, 'warn');
    this.#suspected = suspected;
  }
}
