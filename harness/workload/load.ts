import path from 'node:path';
import type { ServiceSample } from '../measure/service.ts';
import { unsteady } from '../measure/steady.ts';
import type { Clock } from '../platform/clock.ts';
import { abortable } from '../platform/abortable.ts';
import { HarnessError } from '../platform/errors.ts';
import type { Platform, PodProgram, RunContext } from '../platform/platform.ts';
import type { Workload } from '../scenario/scenario.ts';
import { backSince, withMargin, type Sustained } from './back-since.ts';
import { clientsOf } from './clients.ts';
import { WARM_TICKS } from './warm-up.ts';
import { reportSchema, type VantageCommand, type VantageReport } from './protocol.ts';

const PROGRAM = path.resolve(import.meta.dirname, 'vantage.js');
const POLL_MS = 50;
/** All vantages begin together, this far ahead; each then by its share of the period, so that they do not all send at once. */
const BEGIN_AHEAD_MS = 50;
const STOP_SLACK_MS = 2000;

interface Client {
  readonly vantage: string;
  readonly program: PodProgram;
  readonly samples: ServiceSample[];
  readonly ready: Promise<void>;
  readonly finished: Promise<void>;
}

/** All vantages of a run. Records what they report; knows whether service is sustained right now. */
export class Load {
  readonly #clients: readonly Client[];
  readonly #context: RunContext;
  readonly #clock: Clock;
  readonly #workload: Workload;
  #stopped = false;
  #warmMs = 0;
  readonly #deleted = new Set<string>();
  readonly #keys = new Set<string>();

  constructor(platform: Platform, context: RunContext, options: { clock: Clock; workload: Workload; originNs: bigint }) {
    this.#context = context;
    this.#clock = options.clock;
    this.#workload = options.workload;
    const clients = clientsOf(platform, context);
    this.#clients = clients.map(({ vantage, pod, service }) => {
      const program = platform.runInPod(pod, process.execPath, ['--enable-source-maps', PROGRAM]);
      const client = this.#attach(vantage, program);
      this.#send(client, {
        type: 'configure',
        vantage,
        vantages: clients.map((one) => one.vantage),
        originNs: options.originNs.toString(),
        service,
        periodMs: options.workload.periodMs,
        timeoutMs: options.workload.timeoutMs,
      });
      return client;
    });
  }

  /** Resolves when all have begun. Throws HarnessError when one does not come up before the signal. */
  async start(signal: AbortSignal): Promise<void> {
    await abortable(Promise.all(this.#clients.map((client) => client.ready)), signal);
    const startMs = this.#clock.nowMs() + BEGIN_AHEAD_MS;
    this.#warmMs = startMs + (WARM_TICKS + 1) * this.#workload.periodMs;
    for (const [index, client] of this.#clients.entries()) {
      this.#send(client, { type: 'begin', startMs: startMs + (index * this.#workload.periodMs) / this.#clients.length });
    }
  }

  /** Resolves when every client sends at every tick; before that none of its silences says anything. */
  async warm(signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(Math.max(0, this.#warmMs - this.#clock.nowMs()), signal);
  }

  /** Resolves when every one of these vantages has sustained service that began at or after fromMs; false when that takes longer. */
  async untilSustained(vantages: readonly string[], options: AwaitedService, signal: AbortSignal): Promise<boolean> {
    const limitMs = this.#clock.nowMs() + options.atMostMs;
    const workload = options.last === true ? withMargin(this.#workload) : this.#workload;
    for (;;) {
      const waiting = this.#clients.filter(({ vantage, samples }) => vantages.includes(vantage) && !backSince(samples, options, workload));
      if (waiting.length === 0) return true;
      if (this.#clock.nowMs() >= limitMs) return false;
      await this.#clock.sleep(POLL_MS, signal);
    }
  }

  /** Every key that anybody ever wrote, or tried to. */
  get keys(): readonly string[] {
    return [...this.#keys];
  }

  /** Why service was not steady between the two instants, a line a vantage; empty when it was. */
  unsteady(fromMs: number, toMs: number): readonly string[] {
    return this.#clients.flatMap(({ vantage, samples }) => {
      const recent = samples.filter((sample) => sample.intendedMs >= fromMs).toSorted((a, b) => a.intendedMs - b.intendedMs);
      const trouble = unsteady(recent, [fromMs, toMs], this.#workload);
      return trouble === null ? [] : [`${vantage}: ${trouble.problem}`];
    });
  }

  /** Every client deletes what it has written; resolves when all have, false when that takes longer. */
  async deleteAll(atMostMs: number, signal: AbortSignal): Promise<boolean> {
    const limitMs = this.#clock.nowMs() + atMostMs;
    for (const client of this.#clients) this.#send(client, { type: 'delete-all' });
    while (this.#deleting() > 0 && this.#clock.nowMs() < limitMs) await this.#clock.sleep(POLL_MS, signal);
    return this.#deleting() === 0;
  }

  #deleting(): number {
    return this.#clients.filter(({ vantage }) => !this.#deleted.has(vantage)).length;
  }

  /** Stops sending, waits until everything in flight is accounted for, and ends the programs. Idempotent; never rejects. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const client of this.#clients) this.#send(client, { type: 'stop' });
    const limit = setTimeout(() => this.#kill(), this.#workload.timeoutMs + STOP_SLACK_MS);
    await Promise.all(this.#clients.map((client) => client.finished));
    clearTimeout(limit);
  }

  #kill(): void {
    for (const client of this.#clients) client.program.kill();
  }

  #attach(vantage: string, program: PodProgram): Client {
    const ready = Promise.withResolvers<void>();
    const samples: ServiceSample[] = [];
    program.onMessage((message) => {
      const report = reportSchema.parse(message);
      if (report.type === 'ready') ready.resolve();
      if (report.type === 'op') samples.push(report);
      if (report.type === 'op' && report.op === 'put') this.#keys.add(report.key);
      if (report.type === 'deleted-all') this.#deleted.add(vantage);
      this.#record(vantage, report);
    });
    const finished = program.exited.then(({ code, signal }) => {
      ready.reject(
        new HarnessError('lab-failed', `the client in ${vantage} ended (exit code ${code}, signal ${signal}); see its pod's log`),
      );
      if (!this.#stopped || code !== 0)
        this.#context.record({ kind: 'note', message: `vantage ${vantage} ended early: exit code ${code}, signal ${signal}` });
    });
    ready.promise.catch(() => undefined); // start() awaits it, unless something else failed first
    return { vantage, program, samples, ready: ready.promise, finished };
  }

  #record(vantage: string, report: VantageReport): void {
    if (report.type === 'op') {
      const { type: _, ...operation } = report;
      this.#context.record({ kind: 'op', vantage, ...operation });
    } else if (report.type === 'dns') this.#context.record({ kind: 'dns', vantage, addresses: report.addresses });
    else if (report.type === 'deleted-all')
      this.#context.record({ kind: 'note', message: `vantage ${vantage} deleted what it had written: ${report.deletes} keys` });
    else if (report.type === 'finished') {
      const { issued, scheduledFirst } = report;
      this.#context.record({ kind: 'client-finished', vantage, issued, scheduledFirst });
    }
  }

  #send(client: Client, command: VantageCommand): void {
    client.program.send(command);
  }
}

interface AwaitedService extends Sustained {
  /** The load ends then: nobody sees what comes after. */
  readonly last?: boolean;
  readonly atMostMs: number;
}
