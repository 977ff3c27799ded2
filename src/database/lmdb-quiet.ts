import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../platform/errors.ts';

/**
 * Why this is here: whoever opens an LMDB environment sets the shared number of the last transaction to the one that it read from the file before (`mdb_env_open2` of
 * the LMDB in lmdb-js). A commit of another process between the two is taken back by that: the next one is built on the state before it, and what was acknowledged as durable is gone, or the
 * writer crashes. (Found by the game day backup-killed.) So nobody opens it while somebody commits: the opener asks, the writer stands still between two commits and says so.
 *
 * `writer`: who writes. `opening`: who wants to open, created exclusively. `quiet`: the writer's word to just that one. Each names a process by id and start, as LMDB's readers are
 * told dead, so all must see the same process ids.
 */
const WRITER = 'writer';
const OPENING = 'opening';
const QUIET = 'quiet';
/** Opening takes some milliseconds. Whoever takes longer than this stands still itself. */
const HOLD_MS = 1000;
const ASK_MS = 5000;
const LOOK_MS = 2;
const IDLE_LOOK_MS = 20;

/** The writer's side. Made before the environment is opened; nothing is committed but after `pass`. */
export class QuietMoments {
  readonly #folder: string;
  readonly #idle: NodeJS.Timeout;
  /** The opener that was waited for in vain. One that is stopped must not hold up every commit for as long as it lives. */
  #givenUp: string | null = null;

  /** `stir` is to lead to a `pass` where nothing is written by itself. */
  constructor(folder: string, stir: () => void) {
    this.#folder = folder;
    writeFileSync(join(folder, WRITER), self());
    rmSync(join(folder, QUIET), { force: true });
    sweep(folder);
    // Its first writes come with opening itself, which does not wait: an opener that found no writer is let finish here.
    const wait = new Int32Array(new SharedArrayBuffer(4));
    for (let waitedMs = 0; this.#opener() !== null && waitedMs < HOLD_MS; waitedMs += LOOK_MS) Atomics.wait(wait, 0, 0, LOOK_MS);
    this.#idle = setInterval(() => {
      if (this.wanted()) stir();
    }, IDLE_LOOK_MS).unref();
  }

  wanted(): boolean {
    return existsSync(join(this.#folder, OPENING)) && this.#waiting() !== null;
  }

  /** Called between two commits: stands still for whoever asks, while it lives, for a second at most, and once. */
  async pass(): Promise<void> {
    const quiet = join(this.#folder, QUIET);
    let told: string | null = null;
    for (let heldMs = 0; ; heldMs += LOOK_MS) {
      const opener = this.#waiting();
      if (opener === null) break;
      if (heldMs >= HOLD_MS) {
        this.#givenUp = opener;
        break;
      }
      if (opener !== told) writeFileSync(quiet, opener);
      told = opener;
      await sleep(LOOK_MS);
    }
    rmSync(quiet, { force: true });
  }

  close(): void {
    clearInterval(this.#idle);
    rmSync(join(this.#folder, WRITER), { force: true });
  }

  #waiting(): string | null {
    const opener = this.#opener();
    return opener === this.#givenUp ? null : opener;
  }

  /** Who wants to open and lives; what one that died left behind is taken away. */
  #opener(): string | null {
    const opener = read(join(this.#folder, OPENING));
    if (opener === null || isAlive(opener)) return opener;
    rmSync(join(this.#folder, OPENING), { force: true });
    return null;
  }
}

/**
 * Opens an environment that another process may be writing to, while that one stands still. Where none writes, at once.
 * @throws EngineError database-broken: the writer lives and does not answer (it hangs), or went on meanwhile; nothing was opened, or what was opened must not be used
 */
export async function inQuietMoment<T>(folder: string, open: () => T): Promise<T> {
  const writer = read(join(folder, WRITER));
  // Threads of the writer share its environment: nothing is opened anew.
  if (writer === null || writer === self() || !isAlive(writer)) return await opening(folder, () => Promise.resolve(open()));
  return await opening(folder, async (token) => {
    const quiet = join(folder, QUIET);
    for (let waitedMs = 0; read(quiet) !== token; waitedMs += LOOK_MS) {
      if (waitedMs >= ASK_MS)
        throw new EngineError(
          'database-broken',
          `the database that writes ${folder} does not answer; its file is not opened while it may write`,
        );
      if (!isAlive(writer)) break;
      await sleep(LOOK_MS);
    }
    const opened = open();
    if (isAlive(writer) && read(quiet) !== token)
      throw new EngineError('database-broken', `the database that writes ${folder} went on while its file was being opened`);
    return opened;
  });
}

/** One opener at a time; its token is gone again whatever happens. */
async function opening<T>(folder: string, work: (token: string) => Promise<T>): Promise<T> {
  const file = join(folder, OPENING);
  const token = `${self()} ${randomUUID()}`;
  for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
    try {
      putWhole(file, token);
      break;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST' || waitedMs >= ASK_MS)
        throw new EngineError('database-broken', `cannot ask for a quiet moment: ${file}`, cause);
    }
    const other = read(file);
    if (other === null ? isEmpty(file) : !isAlive(other)) rmSync(file, { force: true });
    await sleep(LOOK_MS);
  }
  try {
    return await work(token);
  } finally {
    if (read(file) === token) rmSync(file, { force: true });
  }
}

/** Exclusively, and with its token in it: one that was killed between the two would be nobody's, whose death nobody can see, and in everybody's way for ever (found by killing backups). */
function putWhole(file: string, token: string): void {
  const whole = `${file}-${randomUUID()}`;
  writeFileSync(whole, token);
  try {
    linkSync(whole, file);
  } finally {
    rmSync(whole, { force: true });
  }
}

/** What openers left that were killed before their token had its name. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder).filter((one) => one.startsWith(`${OPENING}-`))) {
    const token = read(join(folder, name));
    if (token !== null && !isAlive(token)) rmSync(join(folder, name), { force: true });
  }
}

/** As a machine that went down may leave it. */
function isEmpty(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.size === 0;
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8') || null;
  } catch {
    return null;
  }
}

const self = (): string => `${process.pid} ${startOf(process.pid) ?? 0}`;

function isAlive(token: string): boolean {
  const [pid, start] = token.split(' ').map(Number);
  return pid !== undefined && startOf(pid) === start;
}

/** When a process began, in the kernel's ticks: ids are used again. null: there is none. */
function startOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return null;
  }
}
