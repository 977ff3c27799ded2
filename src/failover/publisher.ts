import type { EngineConfig } from '../config/config.ts';
import type { DnsProvider } from '../dns/dns.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../telemetry/log.ts';

export interface PublisherOptions {
  readonly config: EngineConfig;
  readonly clock: Clock;
  readonly dns: DnsProvider;
  readonly log: Log;
}

/**
 * Keeps the name at the primary outside of failovers: at the first start, after a primary that was restarted took the next epoch itself, and where somebody changed the record.
 * Only for a primary that is seen to serve; the epoch keeps it from overwriting anything newer.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #ending = new AbortController();
  #publishing: Promise<void> | null = null;
  #published: { readonly epoch: number; readonly atMs: number } | null = null;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Called often; asks DNS for a new epoch at once, else now and then. */
  keep(primary: { readonly region: string; readonly epoch: number }): void {
    const { clock, config } = this.#options;
    const current = this.#published?.epoch === primary.epoch && clock.monotonicMs() - this.#published.atMs < config.policy.stepTimeoutMs;
    if (current || this.#publishing !== null || this.#ending.signal.aborted) return;
    this.#publishing = this.#publish(primary).finally(() => (this.#publishing = null));
  }

  async stop(): Promise<void> {
    this.#ending.abort(new Error('stopped'));
    await this.#publishing;
  }

  async #publish({ region, epoch }: { readonly region: string; readonly epoch: number }): Promise<void> {
    const { dns, config, log, clock } = this.#options;
    try {
      const result = await dns.publish({ region, epoch, addresses: config.regions[region]?.addresses ?? [] }, this.#ending.signal);
      if (result.ok && result.changed) log.info('dns_updated', { region, epoch });
      // A planned move that was given up had lowered it.
      if (result.ok) await dns.setTtl?.({ region, epoch }, config.dns.ttl_seconds, this.#ending.signal);
      if (!result.ok) log.warn('dns_superseded', { region, epoch, published: result.published });
      this.#published = { epoch, atMs: clock.monotonicMs() };
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      log.warn('dns_failed', { region, epoch, error });
      await clock.sleep(config.policy.probePeriodMs, this.#ending.signal).catch(() => undefined);
    }
  }
}
