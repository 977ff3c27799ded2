import { spawn, type ChildProcess } from 'node:child_process';
import process from 'node:process';
import type { PodChanged } from '../../history/event.ts';
import { EXIT, HarnessError } from '../errors.ts';
import type { Pod, RunContext } from '../platform.ts';
import type { BoundedLog } from './bounded-log.ts';
import { jsonObject, splitLines } from './lines.ts';
import { inPod, type PodPlace } from './pod-view.ts';
import { untilReady } from './ready.ts';
import { nextRestart, POD_REPLACEMENT_DELAY_MS } from './restart-policy.ts';
import type { ServiceSpec } from './services.ts';
import { Stillness } from './stillness.ts';

export interface SupervisorHooks {
  readonly run: Pick<RunContext, 'nowMs' | 'record'>;
  readonly log: Pick<BoundedLog, 'write'>;
}

interface Running {
  readonly child: ChildProcess;
  readonly startedMs: number;
  readonly exited: Promise<void>;
  readonly untilExit: AbortController;
}

/** Of what a program says on stderr, for the message of one that refuses to start. */
const LAST_WORDS = 600;

/** Why the program is not to be started again when it ends, or how. */
type Ending = 'restart' | 'replace' | 'stay-down';

/**
 * Keeps one pod's program running as the kubelet does, and kills it when told. Owner: the platform; stop() ends it for good. All methods may
 * be called in any state and any number of times.
 */
export class Supervisor {
  readonly place: PodPlace;
  /** For faults that hold the program still. */
  readonly stillness = new Stillness((signal) => this.#signalProgram(signal));
  readonly #service: ServiceSpec;
  readonly #hooks: SupervisorHooks;
  readonly #holders = new Set<string>();
  #running: Running | undefined;
  #timer: NodeJS.Timeout | undefined;
  #restarts = 0;
  #ending: Ending = 'restart';
  #stopped = false;
  #ready = Promise.withResolvers<void>();
  #serves = false;
  #everServed = false;

  constructor(place: PodPlace, service: ServiceSpec, hooks: SupervisorHooks) {
    this.place = place;
    this.#service = service;
    this.#hooks = hooks;
    this.#ready.promise.catch(() => undefined); // whoever waits for it is told
  }

  get phase(): Pod['phase'] {
    if (this.#holders.size > 0) return 'Failed';
    return this.#running === undefined && this.#ending === 'replace' ? 'Pending' : 'Running';
  }

  /** The running program's process id. */
  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  get isReady(): boolean {
    return this.#serves;
  }

  /**
   * Resolves when the program that runs now, or the next one, serves. Rejects with HarnessError `lab-failed` where an engine's program ends as one does that will not have its
   * configuration (ARCHITECTURE §3) before it ever served: starting it again changes nothing.
   */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  start(): void {
    clearTimeout(this.#timer);
    if (this.#running !== undefined || this.#stopped || this.#holders.size > 0) return;
    this.#ending = 'restart';
    const [program, ...args] = inPod(this.place, this.#service.command);
    // A process group of its own: killing a pod kills whatever its program started.
    const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...this.#service.environment } });
    const { promise: exited, resolve } = Promise.withResolvers<void>();
    const running = { child, exited, startedMs: this.#hooks.run.nowMs(), untilExit: new AbortController() };
    this.#running = running;
    const ended = (code: number | null, signal: string | null): void => {
      if (this.#running === running) this.#onExit(running, { code, signal });
      resolve();
    };
    child.once('exit', ended);
    child.once('error', (error) => {
      this.#hooks.log.write(`${program} does not start: ${error.message}\n`);
      ended(null, null);
    });
    const lastWords = this.#readOutput(child);
    child.once('close', (code) => this.#onRefusal(code, lastWords()));
    this.#record({ change: 'started', ...(child.pid === undefined ? {} : { pid: child.pid }) });
    void this.#watchReadiness(running);
  }

  /** Asks to end, then kills the whole pod; a new one follows after the replacement delay. Resolves when it is gone. */
  async killPod(graceMs: number): Promise<void> {
    this.#restarts = 0; // a new pod knows nothing of the old one's crashes
    if (this.#running === undefined && this.#holders.size === 0) return this.#startIn(POD_REPLACEMENT_DELAY_MS);
    await this.#end('replace', graceMs);
  }

  /** Kills the program; the restart policy brings it back. Resolves when it is gone. */
  async killContainer(): Promise<void> {
    await this.#end('restart', 0);
  }

  /** Kills the pod and keeps it down until every holder has released it. Resolves when it is gone. */
  async hold(holder: string): Promise<void> {
    if (this.#holders.has(holder)) return;
    this.#holders.add(holder);
    clearTimeout(this.#timer);
    await this.#end('stay-down', 0);
    this.#record({ change: 'held' });
  }

  release(holder: string): void {
    if (!this.#holders.delete(holder) || this.#holders.size > 0) return;
    this.#record({ change: 'released' });
    this.#restarts = 0;
    this.start();
  }

  /** For the record: from now on a fault holds the program still, or no longer does. */
  noteFrozen(frozen: boolean): void {
    this.#record({ change: frozen ? 'frozen' : 'thawed', ...(this.pid === undefined ? {} : { pid: this.pid }) });
  }

  /** Ends the program for good: ours get graceMs to end by themselves, servers of others need none. Resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#end('stay-down', this.#service.speaksNdjson ? graceMs : 0);
  }

  async #end(ending: Ending, graceMs: number): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#ending = ending;
    this.#signal(running, graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
    const timer = setTimeout(() => this.#signal(running, 'SIGKILL'), graceMs);
    await running.exited;
    clearTimeout(timer);
  }

  #signal(running: Running, signal: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = running.child;
    if (pid === undefined || this.#running !== running) return;
    if (signalGroup(pid, signal)) this.#record({ change: 'killed', pid, signal });
  }

  /** Signals the program that runs now, and whatever it started; nothing when none does. */
  #signalProgram(signal: 'SIGSTOP' | 'SIGCONT'): void {
    const pid = this.pid;
    if (pid !== undefined) signalGroup(pid, signal);
  }

  #onExit(running: Running, { code, signal }: { readonly code: number | null; readonly signal: string | null }): void {
    this.#running = undefined;
    running.untilExit.abort();
    const { pid } = running.child;
    if (pid !== undefined) signalGroup(pid, 'SIGKILL'); // what the program left behind goes with it, as with a container
    if (this.#serves) this.#ready = Promise.withResolvers<void>();
    this.#serves = false;
    this.#record({ change: 'exited', exitCode: code, signal, ...(pid === undefined ? {} : { pid }) });
    if (this.#stopped || this.#ending === 'stay-down') return;
    this.#startIn(this.#ending === 'replace' ? POD_REPLACEMENT_DELAY_MS : this.#backOff(this.#hooks.run.nowMs() - running.startedMs));
  }

  #onRefusal(code: number | null, said: string): void {
    if (code !== EXIT.badInput || !this.#service.speaksNdjson || this.#everServed) return;
    this.#ready.reject(new HarnessError('lab-failed', `the program of ${this.place.pod.name} refuses to start: ${said.trim()}`));
  }

  #startIn(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#record({ change: 'restart-scheduled', restartInMs: delayMs });
    this.#timer = setTimeout(() => this.start(), delayMs);
  }

  #backOff(ranForMs: number): number {
    const next = nextRestart(this.#restarts, ranForMs);
    this.#restarts = next.restarts;
    return next.delayMs;
  }

  async #watchReadiness(running: Running): Promise<void> {
    try {
      await untilReady(this.place.pod.ipv4, this.#service.readiness, running.untilExit.signal);
    } catch {
      return; // it ended before; the next start watches again
    }
    this.#record({ change: 'ready', ...(running.child.pid === undefined ? {} : { pid: running.child.pid }) });
    this.#serves = true;
    this.#everServed = true;
    this.#ready.resolve();
  }

  /** Gives a look at the last that it said on stderr. */
  #readOutput(child: ChildProcess): () => string {
    const { log } = this.#hooks;
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log.write(text);
      said = `${said}${text}`.slice(-LAST_WORDS);
    });
    const onLine = splitLines((line) => {
      const object = this.#service.speaksNdjson ? jsonObject(line) : undefined;
      if (object === undefined) return log.write(`${line}\n`);
      const action = typeof object['action'] === 'string' ? object['action'] : '';
      this.#hooks.run.record({ kind: 'engine-log', pod: this.place.pod.name, action, line: object });
    });
    child.stdout?.setEncoding('utf8').on('data', onLine);
    return () => said;
  }

  #record(change: Omit<PodChanged, 'kind' | 'pod' | 'region'>): void {
    this.#hooks.run.record({ kind: 'pod', pod: this.place.pod.name, region: this.place.pod.region, ...change });
  }
}

/** Whether there was somebody to signal. */
function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
