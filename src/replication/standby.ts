import type { Readable } from 'node:stream';
import type { Database } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import { Serial } from '../platform/serial.ts';
import type { Log } from '../telemetry/log.ts';
import { decideAppend } from './append.ts';
import type { Promises } from './direct-lease.ts';
import type { ExportedTail } from './divergence.ts';
import { receiveSnapshot } from './snapshot-transfer.ts';
import type { AppendReply, AppendRequest, LogSummary } from './wire.ts';

export interface StandbyOptions {
  readonly database: Database;
  /** Puts what the log has above `afterIndex` where it is kept for people, durably; null when there is nothing. */
  readonly exportTail: (afterIndex: number) => ExportedTail | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly promises: Promises;
}

/** What a standby knows of the primary that ships to it. */
export interface Upstream {
  readonly region: string;
  readonly epoch: number;
  readonly lagEntries: number;
  readonly heardAtMs: number;
}

/** The receiving side of replication: takes what follows its log, durably, and never anything of an epoch below its seal. */
export class Standby {
  readonly #options: StandbyOptions;
  readonly #serial = new Serial();
  #upstream: Upstream | null = null;
  #arriving: Readable | null = null;

  constructor(options: StandbyOptions) {
    this.#options = options;
  }

  get upstream(): Upstream | null {
    return this.#upstream;
  }

  append(request: AppendRequest): Promise<AppendReply> {
    this.#endArriving();
    return this.#serial.run(() => this.#append(request));
  }

  async #append(request: AppendRequest): Promise<AppendReply> {
    const { database } = this.#options;
    const state = database.state();
    const decision = decideAppend(state, request);
    if (decision.kind === 'reply') {
      if (decision.reply.kind !== 'mismatch') return decision.reply;
      const promised = this.#promise(request);
      await this.#hear(request, state.log.index);
      return { ...decision.reply, promised };
    }
    const promised = this.#promise(request);
    // No await between the check of the seal and the writes: a seal comes before both or after both.
    const writes: Promise<void>[] = [];
    if (decision.truncateAfter !== null) {
      this.#exportTail(decision.truncateAfter, request.epoch);
      writes.push(database.truncate(decision.truncateAfter));
    }
    if (decision.entries.length > 0) writes.push(database.append(decision.entries));
    writes.push(this.#hear(request, decision.matchIndex));
    await Promise.all(writes);
    database.commit(decision.commitIndex);
    return { kind: 'ok', matchIndex: decision.matchIndex, promised };
  }

  /** Gives the direct lease that the append asks for; only where its epoch was found not to be sealed, with no await between: whoever seals finds either this promise or none. */
  #promise({ promise, promiseMs, region, epoch }: AppendRequest): number | undefined {
    if (promise !== undefined) this.#options.promises.promise(region, epoch, promiseMs);
    return promise;
  }

  /** Installs a copy of the primary's data in place of its own; what the primary has not is exported first. `beforeEpoch` is awaited before anything is compared. Null for what is no snapshot. */
  async install(stream: Readable, beforeEpoch: (epoch: number) => Promise<void>): Promise<AppendReply | null> {
    this.#endArriving();
    this.#arriving = stream;
    const received = await receiveSnapshot(stream);
    if (received === null) return null;
    await beforeEpoch(received.header.epoch);
    return this.#serial.run(async (): Promise<AppendReply> => {
      const { database, log } = this.#options;
      const { header, rows } = received;
      const passed = (): AppendReply | null => {
        const { sealedEpoch } = database.state();
        return header.epoch < sealedEpoch ? { kind: 'epoch-passed', sealedEpoch } : null;
      };
      const refused = passed();
      if (refused !== null) return refused;
      await this.#hear({ region: header.region, epoch: header.epoch, lastIndex: header.end.index }, 0);
      this.#exportTail(header.commonIndex, header.epoch);
      const installed = await database.install({ end: header.end, epochs: header.epochs, rows }, () => passed() === null);
      if (!installed) return passed() ?? { kind: 'mismatch', log: this.#summary() };
      log.info('resync_complete', { from: header.region, epoch: header.epoch, index: header.end.index });
      return { kind: 'ok', matchIndex: header.end.index };
    });
  }

  /** The primary of an epoch was heard: lower ones are over for us. */
  async #hear(request: Pick<AppendRequest, 'region' | 'epoch' | 'lastIndex'>, matchIndex: number): Promise<void> {
    const { database, clock } = this.#options;
    const lagEntries = Math.max(0, request.lastIndex - matchIndex);
    this.#upstream = { region: request.region, epoch: request.epoch, lagEntries, heardAtMs: clock.monotonicMs() };
    if (request.epoch > database.state().sealedEpoch) await database.seal(request.epoch);
  }

  #exportTail(afterIndex: number, newEpoch: number): void {
    const { exportTail, log } = this.#options;
    const exported = exportTail(afterIndex);
    if (exported !== null) log.warn('divergent_tail_exported', { ...exported, after_index: afterIndex, new_epoch: newEpoch });
  }

  /** A primary has one request under way: a new one says that nobody waits for the copy that is arriving, however long it would stall. */
  #endArriving(): void {
    this.#arriving?.destroy();
    this.#arriving = null;
  }

  #summary(): LogSummary {
    const { log, commitIndex, epochs } = this.#options.database.state();
    return { lastIndex: log.index, commitIndex, epochs };
  }
}
