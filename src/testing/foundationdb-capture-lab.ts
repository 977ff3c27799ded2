import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { LogDescription } from '../backup/log/describe-log.ts';
import { runCli } from '../cli.ts';
import { EXIT } from '../commands/world.ts';
import { systemClock } from '../platform/clock.ts';
import { captureCommandConfig } from './backup-command-config.ts';
import { FoundationdbCluster, type FoundationdbPrograms } from './foundationdb-cluster.ts';

/** fdbbackup writes what is of 20 s; a busy machine takes longer. */
const STORED_WITHIN_MS = 150_000;
const MAIN = join(import.meta.dirname, '../main.js');

interface Line {
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A FoundationDB cluster whose `backup-service`, a process of its own, stores its log, and the backup commands beside it. The owner calls `close`. */
export class CaptureLab {
  readonly folder = mkdtempSync(join(tmpdir(), 'fdb-capture-'));
  readonly cluster: FoundationdbCluster;
  /** What the service has said. */
  readonly lines: Line[] = [];
  readonly #programs: FoundationdbPrograms;
  readonly #prefix: string;
  #service: ChildProcess | null = null;

  private constructor(programs: FoundationdbPrograms, cluster: FoundationdbCluster, prefix: string) {
    this.#programs = programs;
    this.cluster = cluster;
    this.#prefix = prefix;
  }

  static async start(programs: FoundationdbPrograms, prefix: string): Promise<CaptureLab> {
    return new CaptureLab(programs, await FoundationdbCluster.start(programs, 'single'), prefix);
  }

  get captureFolder(): string {
    return join(this.folder, 'capture');
  }

  startService(): void {
    const args = [MAIN, 'backup-service', '--config', this.#config(this.#prefix)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop()!;
      for (const part of parts) this.lines.push(JSON.parse(part) as Line);
    });
    this.#service = child;
  }

  async stopService(): Promise<void> {
    const child = this.#service;
    this.#service = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const over = once(child, 'exit');
    child.kill('SIGTERM');
    await over;
  }

  /** `coditect-dr backup …` of the key space, or of another one under the same repository. */
  async backup(words: readonly string[], prefix = this.#prefix): Promise<{ readonly code: number; readonly text: string }> {
    let text = '';
    const out = (said: string): void => void (text += said);
    const world = { environment: {}, signal: new AbortController().signal, out, err: out };
    return { code: await runCli(['backup', ...words, '--config', this.#config(prefix)], world), text };
  }

  /** @throws where it ends with another code than 0 */
  async done(words: readonly string[], prefix = this.#prefix): Promise<string> {
    const { code, text } = await this.backup(words, prefix);
    if (code !== EXIT.ok) throw new Error(`backup ${words.join(' ')} ended with ${code}: ${text}`);
    return text;
  }

  async log(): Promise<LogDescription> {
    return JSON.parse((await this.backup(['log', '--json'])).text) as LogDescription;
  }

  /** Waits for the service to say so, in its lines from that one on. */
  async untilTold(action: string, from: number): Promise<Line['details']> {
    for (const endMs = systemClock.monotonicMs() + STORED_WITHIN_MS; systemClock.monotonicMs() < endMs; await systemClock.sleep(200)) {
      const found = this.lines.slice(from).find((line) => line.action === action);
      if (found !== undefined) return found.details;
    }
    throw new Error(`the service did not tell ${action}: ${JSON.stringify(this.lines)}`);
  }

  /** Segments in the store, in the order of their versions. */
  segments(): readonly { readonly name: string; readonly path: string; readonly begin: number }[] {
    const store = join(this.folder, 'store');
    return filesBelow(join(store, 'log'))
      .map((path) => ({ path, name: path.slice(store.length + 1), begin: Number(path.slice(-16)) }))
      .toSorted((a, b) => a.begin - b.begin);
  }

  /** What fdbbackup wrote and is not deleted yet: the last version of each. */
  captured(): readonly number[] {
    return filesBelow(this.captureFolder).flatMap((path) => {
      const end = /log,\d+,(\d+),/.exec(path)?.[1];
      return end === undefined ? [] : [Number(end) - 1];
    });
  }

  async close(): Promise<void> {
    await this.stopService();
    await this.cluster.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #config(prefix: string): string {
    const file = join(this.folder, `${prefix.slice(0, -1)}.yaml`);
    const { library, fdbserver } = this.#programs;
    const place = { clusterFile: this.cluster.clusterFile, library, prefix, programs: dirname(fdbserver) };
    writeFileSync(file, JSON.stringify(captureCommandConfig('x', place)));
    return file;
  }
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => join(parentPath, name));
}
