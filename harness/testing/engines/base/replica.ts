import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from './log.ts';
import { LogFile, type Entry } from './log-file.ts';
import type { Sentences } from './sentences.ts';
import { Turns } from './wait.ts';

export interface AppendRequest {
  readonly region: string;
  readonly epoch: number;
  readonly prevIndex: number;
  readonly prevEpoch: number;
  readonly entries: readonly Entry[];
  readonly commitIndex: number;
}
export type AppendReply =
  | { readonly result: 'ok'; readonly matchIndex: number }
  | { readonly result: 'epoch-passed'; readonly epoch: number }
  /** The previous entry is not here: go on after `tryAfter`. */
  | { readonly result: 'gap'; readonly tryAfter: number }
  /** What is here differs: only a snapshot may replace it. */
  | { readonly result: 'diverged' };

/** This region's copy: the log, and the key space as far as it is committed. What primary and standby have in common. */
export class Replica {
  readonly log: LogFile;
  readonly #folder: string;
  readonly #say: Log;
  readonly #keep: Sentences['keep'];
  readonly #turns = new Turns();
  readonly #map = new Map<string, string>();
  #sealedEpoch: number;
  #commitIndex = 0;
  #appliedIndex = 0;

  private constructor(folder: string, log: LogFile, say: Log, keep: Sentences['keep']) {
    this.#folder = folder;
    this.log = log;
    this.#say = say;
    this.#keep = keep;
    const seal = join(folder, 'seal.json');
    this.#sealedEpoch = existsSync(seal) ? (JSON.parse(readFileSync(seal, 'utf8')) as { epoch: number }).epoch : 0;
  }

  static async open(folder: string, say: Log, sentences: Sentences): Promise<Replica> {
    return new Replica(folder, await LogFile.open(folder), say, sentences.keep);
  }

  get sealedEpoch(): number {
    return this.#sealedEpoch;
  }
  get commitIndex(): number {
    return this.#commitIndex;
  }
  get appliedIndex(): number {
    return this.#appliedIndex;
  }
  get map(): ReadonlyMap<string, string> {
    return this.#map;
  }

  /** Refuses lower epochs from now on, durably. Resolves false when a higher epoch is sealed already. */
  seal(epoch: number): Promise<boolean> {
    return this.#turns.take(() => this.#raise(epoch));
  }

  async #raise(epoch: number): Promise<boolean> {
    if (epoch < this.#sealedEpoch) return false;
    if (epoch > this.#sealedEpoch) {
      this.#sealedEpoch = epoch;
      await this.log.keep('seal.json', JSON.stringify({ epoch }));
    }
    return true;
  }

  /** Raft's append on a standby. `replace` (a snapshot) may cut off what differs, after exporting it. */
  append(request: AppendRequest, replace: boolean): Promise<AppendReply> {
    return this.#turns.take(async () => {
      if (!(await this.#raise(request.epoch))) return { result: 'epoch-passed', epoch: this.#sealedEpoch };
      const { prevIndex, prevEpoch } = request;
      const here = this.log.epochAt(prevIndex);
      if (here === undefined) return { result: 'gap', tryAfter: this.log.lastIndex };
      if (here !== prevEpoch) return { result: 'gap', tryAfter: this.#beforeEpochOf(prevIndex) };
      const known = request.entries.findIndex((e) => this.log.epochAt(e.index) !== e.epoch);
      const fresh = known < 0 ? [] : request.entries.slice(known);
      const first = fresh[0];
      if (first && first.index <= this.log.lastIndex) {
        if (!replace) return { result: 'diverged' };
        await this.#cutOff(first.index - 1);
      }
      await this.log.append(fresh);
      const matchIndex = prevIndex + request.entries.length;
      this.commit(Math.min(request.commitIndex, matchIndex));
      return { result: 'ok', matchIndex };
    });
  }

  #beforeEpochOf(index: number): number {
    let before = index;
    while (before > 0 && this.log.epochAt(before) === this.log.epochAt(index)) before--;
    return before;
  }

  async #cutOff(after: number): Promise<void> {
    const tail = this.log.from(after + 1);
    const file = `${tail[0]?.epoch}-${after + 1}.ndjson`;
    await this.log.keep(join('divergent', file), tail.map((e) => `${JSON.stringify(e)}\n`).join(''));
    this.#say('divergent_tail_exported', { file, entries: tail.length });
    await this.log.truncate(after);
    const committed = Math.min(this.#commitIndex, after);
    this.#map.clear();
    this.#appliedIndex = 0;
    this.#commitIndex = 0;
    this.commit(committed);
  }

  /** Everything up to this index is decided: apply it to the key space. */
  commit(index: number): void {
    if (index <= this.#commitIndex) return;
    this.#commitIndex = index;
    for (const entry of this.log.from(this.#appliedIndex + 1, index - this.#appliedIndex)) {
      if (entry.op === 'put') this.#map.set(entry.key, entry.value);
      else if (entry.op === 'delete') this.#map.delete(entry.key);
      this.#keep(entry, this.#map);
    }
    this.#appliedIndex = index;
  }

  /** The files that #cutOff wrote. */
  divergent(): readonly { readonly file: string; readonly entries: readonly unknown[] }[] {
    const folder = join(this.#folder, 'divergent');
    const lines = (file: string): readonly string[] =>
      readFileSync(join(folder, file), 'utf8')
        .split('\n')
        .filter((line) => line !== '');
    const files = readdirSync(folder).filter((file) => file.endsWith('.ndjson'));
    return files.sort().map((file) => ({ file, entries: lines(file).map((line) => JSON.parse(line) as unknown) }));
  }
}
