import type { CaptureStep, ChangeLog } from '../../database/change-log.ts';
import type { Clock } from '../../platform/clock.ts';
import { EngineError, isEngineError } from '../../platform/errors.ts';
import type { Fence } from '../fence.ts';
import type { KeySpace } from '../key-space.ts';
import { bytesBelow, captureFiles, emptyCaptureFolder, readCaptureFile, removeCaptureFile, type CaptureFile } from './capture-folder.ts';
import { changesOf, dataChangesOf } from './changes.ts';
import type { CaptureStatus } from './fdbbackup.ts';
import { decodeLogFile } from './log-file.ts';
import { WallTimes } from './wall-times.ts';

export interface CaptureParts {
  /** Where the files come to lie; nothing else is in it. */
  readonly folder: string;
  readonly keys: KeySpace;
  readonly backup: {
    status(signal: AbortSignal): Promise<CaptureStatus>;
    start(signal: AbortSignal): Promise<void>;
    abort(signal: AbortSignal): Promise<void>;
    /** How somebody ends it by hand. */
    readonly abortWords: string;
  };
  /** Begins to write the files: only once it is known that it is for this service to do. */
  readonly startAgent: () => { close(): Promise<void> };
  /** How many `backup_agent`s the cluster's status knows, this service's among them once it is told there. */
  readonly agents: () => Promise<number>;
  /** Of now, with the version at which it was read. */
  readonly fence: () => Promise<{ readonly value: Fence; readonly version: number }>;
  /** More than this is not left here unstored: the capture is ended then. */
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly release: () => Promise<void>;
}

/** Files come every 20 s at most while all is well: when none comes for longer, it is asked why. */
const ASK_AFTER_MS = 30_000;
const GUARD_MS = 5000;
const OTHER_AGENTS =
  'another backup_agent runs in this cluster, and would write a part of the files to its own machine: only that of this service may run (fdbmonitor starts those that foundationdb.conf names; one that has ended is known for some 90 s)';

/**
 * The changes of a key space, as FoundationDB's continuous backup (`fdbbackup start --incremental`) logs them into a folder of this machine. Nothing in a file counts before it is complete, and a file stays until what it
 * holds was stored and read back. The versions of the files say whether any is missing: what `fdbbackup` itself calls restorable does not count.
 */
export class FoundationdbLog implements ChangeLog {
  readonly #parts: CaptureParts;
  readonly #times: WallTimes;
  readonly #stop = new AbortController();
  readonly #guarding: Promise<void>;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #given: CaptureFile | null = null;
  /** Files up to this version are of before the stream. */
  #beginsAfter = 0;
  #tooMuch = false;
  #agent: { close(): Promise<void> } | null = null;

  constructor(parts: CaptureParts) {
    this.#parts = parts;
    this.#times = new WallTimes(parts.clock);
    this.#guarding = this.#guard();
  }

  async begin(signal: AbortSignal): Promise<{ readonly version: number; readonly epoch: number } | string> {
    const { backup, folder, fence, agents } = this.#parts;
    const { state } = await this.#status(signal);
    if ((await agents()) > (this.#agent === null ? 0 : 1)) return OTHER_AGENTS;
    if (state === 'none') {
      // Of a capture before: nothing leads from it to this one.
      emptyCaptureFolder(folder);
      this.#tooMuch = false;
      await backup.start(signal);
      this.#agent ??= this.#parts.startAgent();
    }
    if (state !== 'running') return 'fdbbackup is beginning to log what is changed';
    // Only what is committed after it was seen to run is certainly logged: the first file begins a little before.
    const { value, version } = await fence();
    if (value.restored || value.servedEpoch === 0) return 'nobody has served this key space yet: no epoch tells its history from others';
    this.#beginsAfter = version;
    this.#askedAtMs = this.#parts.clock.monotonicMs();
    return { version, epoch: value.servedEpoch };
  }

  async after(version: number, epoch: number, signal: AbortSignal): Promise<CaptureStep> {
    const now = (await this.#parts.fence()).version;
    if (now < version) return { kind: 'lost', why: `the database is at version ${now}, before ${version}: it is another one` };
    this.#times.saw(now);
    if (this.#tooMuch)
      return { kind: 'lost', why: `more than ${this.#parts.maxBytes} bytes waited here to be stored: the capture was ended` };
    // Of a run before; a file that is here already is taken all the same.
    if (this.#agent === null) await this.#status(signal);
    const file = this.#fileFor(version);
    if (file !== null) return this.#readOrLost(file, version, epoch);
    return await this.#whyNone(version, signal);
  }

  done(): Promise<void> {
    if (this.#given !== null) removeCaptureFile(this.#given);
    this.#given = null;
    // Only now, as the stream is in the store: until then they are why the one before it ended, also for who is started again.
    for (const file of captureFiles(this.#parts.folder)) if (this.#isBefore(file)) removeCaptureFile(file);
    return Promise.resolve();
  }

  async close(): Promise<string | null> {
    this.#stop.abort(new EngineError('timeout', 'the capture is closed'));
    await this.#guarding;
    await this.#agent?.close();
    await this.#parts.release();
    return `FoundationDB goes on logging what is changed, for when this service is started again; if it is not to be: ${this.#parts.backup.abortWords}`;
  }

  /** One that begins at the version or before it. */
  #fileFor(version: number): CaptureFile | null {
    return captureFiles(this.#parts.folder).find((file) => !this.#isBefore(file) && file.begin <= version + 1) ?? null;
  }

  #isBefore({ end }: CaptureFile): boolean {
    return end - 1 <= this.#beginsAfter;
  }

  /** A file that is not as it should be will never be: nobody is to wait for it. */
  #readOrLost(file: CaptureFile, version: number, epoch: number): CaptureStep {
    try {
      return this.#read(file, version, epoch);
    } catch (error) {
      if (!isEngineError(error, 'backup-failed')) throw error;
      return { kind: 'lost', why: error.message };
    }
  }

  #read(file: CaptureFile, version: number, epoch: number): CaptureStep {
    this.#given = file;
    const { keys } = this.#parts;
    const mutations = decodeLogFile(readCaptureFile(file), file);
    const isNew = mutations.findIndex((mutation) => mutation.version > version);
    const [old, fresh] = isNew < 0 ? [mutations, []] : [mutations.slice(0, isNew), mutations.slice(isNew)];
    const { changes, broken } = changesOf(fresh, keys, epoch);
    const end = broken === null ? file.end - 1 : broken.at - 1;
    const captured = {
      begin: Math.max(file.begin, this.#beginsAfter + 1),
      end,
      again: dataChangesOf(old, keys),
      changes,
      wallMs: this.#times.of(end),
    };
    return { kind: 'captured', captured, broken: broken?.why ?? null };
  }

  async #whyNone(version: number, signal: AbortSignal): Promise<CaptureStep> {
    const { clock } = this.#parts;
    if (clock.monotonicMs() - this.#askedAtMs < ASK_AFTER_MS) return { kind: 'waiting' };
    this.#askedAtMs = clock.monotonicMs();
    const { state, logEnd } = await this.#status(signal);
    if (state === 'none') return { kind: 'lost', why: 'the capture (`fdbbackup`) was ended' };
    // Looked again: one may have come meanwhile.
    if (logEnd === null || logEnd <= version + 1 || this.#fileFor(version) !== null) return { kind: 'waiting' };
    return {
      kind: 'lost',
      why: `fdbbackup has written what is after version ${version}, and it is not here: was it deleted, or did a backup_agent on another machine write it there?`,
    };
  }

  /** @throws EngineError bad-config where another service's capture runs: a second agent would take its files to where nobody looks for them */
  async #status(signal: AbortSignal): Promise<CaptureStatus> {
    const { folder, backup, startAgent } = this.#parts;
    const status = await backup.status(signal);
    if (status.state === 'none') return status;
    const { url } = status;
    if (url?.startsWith(`file://${folder}/`) === true) {
      this.#agent ??= startAgent();
      return status;
    }
    throw new EngineError(
      'bad-config',
      `another service captures this key space, to ${url}: one of them only; or end that one (${backup.abortWords})`,
    );
  }

  /** Whatever the store and this program do: the disk is not filled. */
  async #guard(): Promise<void> {
    const { clock, folder, maxBytes, backup } = this.#parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await clock.sleep(GUARD_MS, signal).catch(() => undefined);
      try {
        if (signal.aborted || bytesBelow(folder) <= maxBytes) continue;
        await backup.abort(signal);
        this.#tooMuch = true;
      } catch {
        // Tried again: nothing else can be done here.
      }
    }
  }
}
