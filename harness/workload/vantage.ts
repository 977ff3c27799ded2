import { createInterface } from 'node:readline';
import { systemClock, type Clock } from '../platform/clock.ts';
import { beScheduledFirst } from '../platform/scheduled-first.ts';
import { DELETES_UNDER_WAY, SCHEDULED_UNDER_WAY } from '../scenario/under-way.ts';
import { Looks } from './looks.ts';
import { operationPlan, type PlannedOperation } from './plan.ts';
import { commandSchema, type VantageConfig, type VantageReport } from './protocol.ts';
import type { Requester } from './request.ts';
import { schedule } from './schedule.ts';
import { openService, type Finder } from './service.ts';
import { sendsAt } from './warm-up.ts';

/** The program of a measuring client: runs inside a client pod, NDJSON on stdin and stdout (protocol.ts). It judges nothing. */

/** Everything in flight ends by its own limit; the last answers get this much more. */
const DRAIN_SLACK_MS = 500;
/** Timers are no more exact than this. */
const LATE_MS = 1;
/** Looks at the clock in a period. */
const LOOKS = 4;

type Issued = PlannedOperation & { readonly intendedMs: number; readonly lateMs?: number; readonly awakeMs?: number };

class Vantage {
  readonly #config: VantageConfig;
  readonly #scheduledFirst: boolean;
  readonly #clock: Clock;
  readonly #finder: Finder;
  readonly #requester: Requester;
  readonly #plan: ReturnType<typeof operationPlan>;
  readonly #looks: Looks;
  #inFlight = 0;
  #stopped = false;
  #issued = 0;
  #addresses = '';
  #stopTicks: () => void = () => undefined;

  constructor(config: VantageConfig, scheduledFirst: boolean) {
    this.#config = config;
    this.#scheduledFirst = scheduledFirst;
    this.#clock = systemClock(BigInt(config.originNs));
    const { finder, requester, deletes } = openService(config.service, config.timeoutMs);
    this.#finder = finder;
    this.#requester = requester;
    this.#plan = operationPlan(config.vantage, config.vantages, { deletes });
    this.#looks = new Looks(this.#clock, config.periodMs / LOOKS);
  }

  begin(startMs: number): void {
    let tick = 0;
    this.#stopTicks = schedule(this.#clock, startMs, this.#config.periodMs, (intendedMs) => {
      if (!sendsAt(tick++)) return;
      for (const operation of this.#plan.next()) this.#issue(operation, intendedMs);
    });
  }

  /** Deletes all that was written, beside the schedule. */
  async deleteAll(): Promise<void> {
    let deletes = 0;
    const one = async (): Promise<void> => {
      for (let operation = this.#plan.deleteOldest(); operation !== null && !this.#stopped; operation = this.#plan.deleteOldest()) {
        deletes += 1;
        this.#issued += 1;
        this.#inFlight += 1;
        await this.#perform({ ...operation, intendedMs: this.#clock.nowMs() }).finally(() => (this.#inFlight -= 1));
      }
    };
    await Promise.all(Array.from({ length: DELETES_UNDER_WAY }, one));
    report({ type: 'deleted-all', deletes });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopTicks();
    const limitMs = this.#clock.nowMs() + this.#config.timeoutMs + DRAIN_SLACK_MS;
    while (this.#inFlight > 0 && this.#clock.nowMs() < limitMs) await this.#clock.sleep(10);
    report({ type: 'finished', issued: this.#issued, scheduledFirst: this.#scheduledFirst });
    this.#looks.stop();
    this.#finder.close();
    this.#requester.close();
  }

  #issue(planned: PlannedOperation, intendedMs: number): void {
    this.#issued += 1;
    const nowMs = this.#clock.nowMs();
    const operation = { ...planned, intendedMs, ...this.#lateness(intendedMs, nowMs) };
    if (this.#inFlight >= SCHEDULED_UNDER_WAY) {
      report({ type: 'op', ...operation, completedMs: nowMs, outcome: 'failed', dnsMs: 0, reason: 'dropped' });
      return;
    }
    this.#inFlight += 1;
    void this.#perform(operation).finally(() => (this.#inFlight -= 1));
  }

  #lateness(intendedMs: number, nowMs: number): Pick<Issued, 'lateMs' | 'awakeMs'> {
    const lateMs = Math.round((nowMs - intendedMs) * 10) / 10;
    const awakeMs = this.#looks.lastBefore(intendedMs);
    return lateMs < LATE_MS ? {} : { lateMs, ...(awakeMs === undefined ? {} : { awakeMs }) };
  }

  /** Each operation finds the service by name anew, as a client that knows nothing must. The time limit covers both. */
  async #perform(operation: Issued): Promise<void> {
    const { timeoutMs } = this.#config;
    const startMs = this.#clock.nowMs();
    const resolution = await this.#finder.find(timeoutMs);
    const resolvedMs = this.#clock.nowMs();
    const dnsMs = resolvedMs - startMs;
    const address = resolution.ok ? resolution.addresses[0] : undefined;
    if (!resolution.ok || address === undefined) {
      const reason = resolution.ok ? 'dns-empty' : resolution.reason;
      report({ type: 'op', ...operation, completedMs: resolvedMs, outcome: 'failed', dnsMs, reason });
      return;
    }
    this.#noticeAddresses(resolution.ok ? resolution.addresses : []);
    const answer = await this.#requester.send(operation, address, Math.max(1, timeoutMs - dnsMs));
    report({ type: 'op', ...operation, completedMs: this.#clock.nowMs(), dnsMs, address, ...answer });
  }

  #noticeAddresses(addresses: readonly string[]): void {
    const sorted = addresses.toSorted();
    if (sorted.join() === this.#addresses) return;
    this.#addresses = sorted.join();
    report({ type: 'dns', addresses: sorted });
  }
}

function report(message: VantageReport): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function main(): Promise<void> {
  const scheduledFirst = beScheduledFirst();
  let vantage: Vantage | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const command = commandSchema.parse(JSON.parse(line));
    if (command.type === 'configure') {
      vantage = new Vantage(command, scheduledFirst);
      report({ type: 'ready' });
    } else if (command.type === 'begin') vantage?.begin(command.startMs);
    else if (command.type === 'delete-all') void vantage?.deleteAll();
    else {
      await vantage?.stop();
      return;
    }
  }
  process.exitCode = 1; // stdin ended without `stop`: the runner is gone, and so is our purpose
  await vantage?.stop();
}

await main();
process.stdin.destroy();
