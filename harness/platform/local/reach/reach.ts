import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Beacon, ReachabilityCell } from '../../../history/event.ts';
import { HarnessError } from '../../errors.ts';
import type { LinkWatch } from '../../platform.ts';
import type { Answer, Pair, ReachPod, Request } from './protocol.ts';

const PROGRAM = fileURLToPath(new URL('./reach-process.js', import.meta.url));
const ANSWER_WITHIN_MS = 15_000;
const EXIT_WITHIN_MS = 1000;

type Asked = Request extends infer One ? (One extends Request ? Omit<One, 'id'> : never) : never;
interface Waiting {
  readonly resolve: (answer: Extract<Answer, { ok: true }>) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Who can reach whom, as real sockets in the pods' namespaces see it. Start it once the namespaces and addresses exist; it needs nothing
 * else of the lab. Owner: the local platform; close() ends the process and with it every socket.
 */
export class Reach {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #ended: Error | undefined;

  private constructor() {
    this.#child = fork(PROGRAM, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child.on('message', (answer: Answer) => this.#answered(answer));
    this.#child.on('error', (error) => this.#end(error));
    this.#child.on('exit', (code, signal) => this.#end(new HarnessError('lab-failed', `the reach process ended (${signal ?? code})`)));
  }

  /** Makes the sockets of all pods; throws HarnessError `lab-failed` when a namespace cannot be entered. originNs: of the run's clock. */
  static async start(pods: readonly ReachPod[], originNs: bigint, signal: AbortSignal): Promise<Reach> {
    const reach = new Reach();
    try {
      await reach.#ask({ ask: 'start', pods, originNs: originNs.toString() }, signal);
      return reach;
    } catch (error) {
      await reach.close();
      throw error;
    }
  }

  /** One sweep over all directed pairs of these pods, IPv4 and IPv6: about 50 ms, 150 ms when something is cut. */
  async reachability(pods: readonly string[], signal: AbortSignal): Promise<readonly ReachabilityCell[]> {
    const { cells = [] } = await this.#ask({ ask: 'sweep', pods }, signal);
    return cells;
  }

  /** Probes each pair every `periodMs` in both families, from now until stop(). A dozen pairs is what it is made for. */
  watchLinks(pairs: readonly Pair[], periodMs: number): LinkWatch {
    const watch = ++this.#lastId;
    const started = this.#ask({ ask: 'watch', watch, pairs, periodMs }).then(() => undefined);
    started.catch(() => undefined); // whoever awaits it, or stop(), reports it
    let stopped: Promise<readonly Beacon[]> | undefined;
    const stop = async (): Promise<readonly Beacon[]> => {
      await started;
      return (await this.#ask({ ask: 'stop', watch })).beacons ?? [];
    };
    return { periodMs, started, stop: () => (stopped ??= stop()) };
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), EXIT_WITHIN_MS);
    await exited;
    clearTimeout(timer);
  }

  #ask(request: Asked, signal?: AbortSignal): Promise<Extract<Answer, { ok: true }>> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    const limit = AbortSignal.any([AbortSignal.timeout(ANSWER_WITHIN_MS), ...(signal ? [signal] : [])]);
    if (limit.aborted) return Promise.reject(limit.reason as Error);
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.delete(id);
        reject(
          signal?.aborted ? (signal.reason as Error) : new HarnessError('timeout', `the reach process did not answer \`${request.ask}\``),
        );
      };
      const settled =
        <T>(then: (value: T) => void) =>
        (value: T): void => {
          limit.removeEventListener('abort', abort);
          then(value);
        };
      limit.addEventListener('abort', abort, { once: true });
      this.#waiting.set(id, { resolve: settled(resolve), reject: settled(reject) });
      this.#child.send({ ...request, id } as Request);
    });
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.ok) waiting?.resolve(answer);
    else waiting?.reject(new HarnessError('lab-failed', answer.message));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended);
    this.#waiting.clear();
  }
}
