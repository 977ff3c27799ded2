import type { Policy } from '../config/policy.ts';
import { NO_LONGER_NEEDED } from '../platform/abort.ts';
import type { Clock } from '../platform/clock.ts';
import { parseJson, type HttpClient } from '../platform/https-client.ts';
import { afterProbe, afterTime, beginDetection, type Detection, type ProbeOutcome } from './detector.ts';
import { castVote, type Vote } from './vote.ts';

export interface ObserverOptions {
  readonly region: string;
  readonly incarnation: string;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly client: HttpClient;
  /** URL of each region's database. */
  readonly databases: Readonly<Record<string, string>>;
}

/**
 * Probes the primary with canary commits, at the database itself: the API is another program with its own health (a dead API before a live database is no reason to move the
 * database), and a canary through it would say "down" for both.
 */
export class Observer {
  readonly #options: ObserverOptions;
  #detection: Detection | null = null;
  #probesUnderWay = 0;
  #seq = 0;
  #contactAtMs: number;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#contactAtMs = options.clock.monotonicMs();
  }

  /** Whom to observe from now on; null: there is no primary. The same one again changes nothing. */
  observe(primary: { readonly region: string; readonly epoch: number } | null): void {
    if (primary?.region === this.#detection?.primary && primary?.epoch === this.#detection?.epoch) return;
    this.#detection = primary === null ? null : beginDetection(primary.region, primary.epoch, this.#options.clock.monotonicMs());
  }

  /** Somebody outside this process answered or asked: this observer is not cut off. */
  hadContact(): void {
    this.#contactAtMs = this.#options.clock.monotonicMs();
  }

  vote(): Vote {
    const { clock, policy, region, incarnation } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#detection !== null) this.#detection = afterTime(this.#detection, nowMs, policy);
    const blind = nowMs - this.#contactAtMs > policy.suspectAfterMs;
    return castVote({ region, incarnation, seq: ++this.#seq, blind }, this.#detection, nowMs);
  }

  /** Probes until `signal` aborts, on a fixed schedule: a probe that hangs does not delay the next. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, policy } = this.#options;
    const atMost = Math.ceil(policy.suspectAfterMs / policy.probePeriodMs);
    while (!signal.aborted) {
      if (this.#detection !== null && this.#probesUnderWay < atMost) void this.#probe(this.#detection, signal);
      await clock.sleep(policy.probePeriodMs, signal).catch(() => undefined);
    }
  }

  /**
   * Missed when its time is over, but not cut then: an answer that comes late is one, and a new connection for each slow one would make a busy primary slower still.
   */
  async #probe(target: Detection, signal: AbortSignal): Promise<void> {
    const { clock, policy, client, region, databases } = this.#options;
    this.#probesUnderWay++;
    const answered = new AbortController();
    let missed = false;
    const miss = (): void => {
      if (!missed) this.#note(target, 'missed', signal);
      missed = true;
    };
    // The request ends with the signal, and this sleep with the request.
    void clock.sleep(policy.probeTimeoutMs, answered.signal).then(miss, () => undefined);
    const result = await client.call(`${databases[target.primary]}/v1/kv/.canary/${region}`, {
      method: 'PUT',
      body: String(this.#seq),
      timeoutMs: policy.suspectAfterMs,
      signal,
    });
    answered.abort(NO_LONGER_NEEDED);
    this.#probesUnderWay--;
    const body = result.kind === 'reply' ? (parseJson(result.body) as { readonly region?: unknown } | undefined) : undefined;
    const committed = result.kind === 'reply' && result.status === 200 && body?.region === target.primary;
    if (committed) this.#note(target, missed ? 'late' : 'commit', signal);
    else miss();
  }

  #note(target: Detection, outcome: ProbeOutcome, signal: AbortSignal): void {
    const { clock, policy } = this.#options;
    // Another primary may be observed by now.
    const same = this.#detection !== null && this.#detection.primary === target.primary && this.#detection.epoch === target.epoch;
    if (!same || signal.aborted) return;
    this.#detection = afterProbe(this.#detection as Detection, outcome, clock.monotonicMs(), policy);
  }
}
