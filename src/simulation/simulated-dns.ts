import { EngineError } from '../platform/errors.ts';
import type { DnsProvider, PublishResult, PublishedRoute } from '../dns/dns.ts';
import { judge } from '../dns/route.ts';
import type { Network, Place } from './network.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { VirtualTime } from './virtual-time.ts';

const PLACE: Place = { region: 'outside', program: 'dns' };

/** The authoritative server: one record, changed only where it still is what the writer read. The decision what to write is the real one. */
export class SimulatedDns {
  /** `errs`: carries out and answers with an error. */
  fault: 'none' | 'down' | 'errs' = 'none';
  route: PublishedRoute | null = null;
  readonly #time: VirtualTime;
  readonly #network: Network;
  readonly #onChange: (before: PublishedRoute | null, after: PublishedRoute) => void;
  readonly #timeoutMs: number;

  constructor(parts: {
    readonly time: VirtualTime;
    readonly network: Network;
    readonly timeoutMs: number;
    readonly onChange: (before: PublishedRoute | null, after: PublishedRoute) => void;
  }) {
    this.#time = parts.time;
    this.#network = parts.network;
    this.#timeoutMs = parts.timeoutMs;
    this.#onChange = parts.onChange;
  }

  client(process: SimulatedProcess): DnsProvider {
    const read = (signal?: AbortSignal): Promise<PublishedRoute | null> => this.#ask(process, () => this.route, signal);
    const replace = (before: PublishedRoute | null, after: PublishedRoute, signal?: AbortSignal): Promise<'replaced' | 'overtaken'> =>
      this.#ask(
        process,
        () => {
          if (this.route?.epoch !== before?.epoch || this.route?.region !== before?.region) return 'overtaken';
          const was = this.route;
          this.route = after;
          this.#onChange(was, after);
          return 'replaced';
        },
        signal,
      );
    const setTtl = (_of: unknown, _ttlSeconds: number, signal?: AbortSignal): Promise<void> => this.#ask(process, () => undefined, signal);
    return {
      setTtl,
      read,
      publish: (route, signal) => publish(route, { read: () => read(signal), replace: (b, a) => replace(b, a, signal) }),
      close: () => Promise.resolve(),
    };
  }

  #ask<T>(process: SimulatedProcess, carryOut: () => T, signal?: AbortSignal): Promise<T> {
    const place: Place = { region: process.region, program: process.program };
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new EngineError('dns-failed', why));
      if (signal?.aborted === true) return fail('aborted');
      signal?.addEventListener('abort', () => fail('aborted'), { once: true });
      process.timer(this.#timeoutMs, () => fail('no answer from the DNS server'));
      const [thereMs] = this.#network.deliveries(place, PLACE);
      if (thereMs === undefined) return undefined;
      this.#time.after(thereMs, null, () => {
        if (this.fault === 'down') return;
        const answer = carryOut();
        const failing = this.fault === 'errs';
        const [backMs] = this.#network.deliveries(PLACE, place);
        if (backMs !== undefined) this.#time.after(backMs, process, () => (failing ? fail('SERVFAIL') : resolve(answer)));
      });
      return undefined;
    });
  }
}

/** As the adapters do: read, judge, replace just what was read, read back. */
async function publish(
  route: PublishedRoute,
  record: {
    readonly read: () => Promise<PublishedRoute | null>;
    readonly replace: (before: PublishedRoute | null, after: PublishedRoute) => Promise<'replaced' | 'overtaken'>;
  },
): Promise<PublishResult> {
  for (let tries = 0; tries < 3; tries++) {
    const published = await record.read();
    const verdict = judge(published, route);
    if (published !== null && verdict === 'superseded') return { ok: false, reason: 'superseded', published };
    if (verdict === 'there') return { ok: true, changed: tries > 0 };
    await record.replace(published, route);
  }
  throw new EngineError('dns-failed', 'overtaken again and again');
}
