import type { EngineConfig } from '../config/config.ts';
import type { Clock } from '../platform/clock.ts';
import type { HttpReply } from '../platform/http.ts';
import { parseJson, type HttpsClient } from '../platform/https-client.ts';
import { databaseStatusShape } from '../server/control-messages.ts';
import type { UpstreamStatus } from '../server/status.ts';
import type { Sample } from '../telemetry/metrics.ts';
import { assessHealth, SCORE, type Health, type Seen } from './health.ts';

export interface HealthProbeOptions {
  readonly config: EngineConfig;
  readonly client: HttpsClient;
  readonly clock: Clock;
  readonly databaseUrl: string;
}

interface Look {
  readonly health: Health;
  readonly role: string;
  readonly epoch: number;
}

/** Asks the region's database how it is; those who ask at the same time share one answer. */
export class HealthProbe {
  readonly #options: HealthProbeOptions;
  #looking: Promise<Look> | null = null;
  #last: Look | null = null;

  constructor(options: HealthProbeOptions) {
    this.#options = options;
  }

  async reply(): Promise<HttpReply> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    const { health, role, epoch } = await this.#looking;
    const json = { region: this.#options.config.region, ...health, role, epoch, timestamp: this.#options.clock.wall().toISOString() };
    return { status: health.status === 'Failed' ? 503 : 200, json };
  }

  /** Of the last answer: nothing is asked for a scrape. */
  samples(): readonly Sample[] {
    const last = this.#last;
    if (last === null) return [];
    const name = 'coditect_dr_health_check';
    return [
      { kind: 'gauge', name: 'coditect_dr_health_score', help: 'Mean of the checks, 0 to 1', value: last.health.score },
      ...last.health.checks.map((check): Sample => ({
        kind: 'gauge',
        name,
        help: '1 Healthy, 0.5 Degraded, 0 Failed',
        value: SCORE[check.status],
        labels: { check: check.name },
      })),
    ];
  }

  async #look(): Promise<Look> {
    const { client, clock, config, databaseUrl } = this.#options;
    const startMs = clock.monotonicMs();
    // A turn of the event loop is what a request costs us before it is looked at.
    await new Promise((resolve) => setImmediate(resolve));
    const ownLatencyMs = round(clock.monotonicMs() - startMs);
    const askedMs = clock.monotonicMs();
    const result = await client.call(`${databaseUrl}/v1/status`, { timeoutMs: config.policy.probeTimeoutMs });
    const databaseLatencyMs = round(clock.monotonicMs() - askedMs);
    const seen: Seen = result.kind !== 'reply' ? { kind: 'silent', reason: result.reason } : decode(result.status, result.body);
    const limits = { rpoMs: config.rpo_seconds * 1000, silentMs: config.policy.suspectAfterMs };
    const health = assessHealth(seen, { ownLatencyMs, databaseLatencyMs }, limits);
    const status = seen.kind === 'answered' ? seen.status : null;
    this.#last = { health, role: status?.role ?? 'unknown', epoch: status?.epoch ?? 0 };
    return this.#last;
  }
}

function decode(status: number, body: Buffer): Seen {
  const json = parseJson(body);
  const parsed = databaseStatusShape.safeParse(json);
  if (status !== 200 || !parsed.success) return { kind: 'silent', reason: `the database answered ${status}` };
  const upstream = (json as { readonly upstream?: UpstreamStatus | null }).upstream;
  return { kind: 'answered', status: { ...parsed.data, upstream } };
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
