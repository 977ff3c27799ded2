/** One number with its labels, read when somebody asks. */
export interface Sample {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Latency buckets in seconds, around what a local write and a write over an ocean take. */
const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const MAX_EARLY = 10_000;

interface Observation {
  readonly labels: Readonly<Record<string, string>>;
  readonly seconds: number;
}

type Exposition = { readonly observe: (observation: Observation) => void; readonly text: () => Promise<string> };

/**
 * Metrics in the Prometheus text format. The library is loaded at the first scrape: a program that is restarted in the middle of an outage starts faster without it.
 * Latencies observed before are kept, up to a bound.
 */
export class Metrics {
  readonly #region: string;
  readonly #samples: () => readonly Sample[];
  readonly #early: Observation[] = [];
  #exposition: Promise<Exposition> | null = null;
  #loaded: Exposition | null = null;

  constructor(region: string, samples: () => readonly Sample[]) {
    this.#region = region;
    this.#samples = samples;
  }

  /** One request that took so long. Labels must come from a small fixed set. */
  observeRequest(labels: Readonly<Record<'method' | 'outcome', string>>, seconds: number): void {
    if (this.#loaded !== null) this.#loaded.observe({ labels, seconds });
    else if (this.#early.length < MAX_EARLY) this.#early.push({ labels, seconds });
  }

  async text(): Promise<string> {
    this.#exposition ??= this.#load();
    return (await this.#exposition).text();
  }

  async #load(): Promise<Exposition> {
    const { Registry, Histogram, Gauge, Counter, collectDefaultMetrics } = await import('prom-client');
    const registry = new Registry();
    registry.setDefaultLabels({ region: this.#region });
    collectDefaultMetrics({ register: registry });
    const requests = new Histogram({
      name: 'coditect_dr_request_seconds',
      help: 'Requests by method and outcome',
      labelNames: ['method', 'outcome'],
      buckets: BUCKETS_SECONDS,
      registers: [registry],
    });
    const observe = ({ labels, seconds }: Observation): void => requests.observe(labels, seconds);
    for (const observation of this.#early.splice(0)) observe(observation);
    const text = async (): Promise<string> => {
      // Made anew for each scrape: what they show is read from the live state, so nothing can go stale.
      const current = new Registry();
      current.setDefaultLabels({ region: this.#region });
      const made = new Map<string, { add: (sample: Sample) => void }>();
      for (const sample of this.#samples()) {
        const metric = made.get(sample.name) ?? make(sample);
        made.set(sample.name, metric);
        metric.add(sample);
      }
      function make({ kind, name, help, labels }: Sample): { add: (sample: Sample) => void } {
        const options = { name, help, labelNames: Object.keys(labels ?? {}), registers: [current] };
        if (kind === 'gauge') {
          const gauge = new Gauge(options);
          return { add: (sample) => gauge.set(sample.labels ?? {}, sample.value) };
        }
        const counter = new Counter(options);
        return { add: (sample) => counter.inc(sample.labels ?? {}, sample.value) };
      }
      return `${await registry.metrics()}${await current.metrics()}`;
    };
    this.#loaded = { observe, text };
    return this.#loaded;
  }
}
