import { spawn, type ChildProcess } from 'node:child_process';
import process from 'node:process';
import { KILLED } from '../../killed.ts';
import { inPod, type PodPlace } from '../../local/pod-view.ts';
import type { ContainerStatus, KubeContainer } from '../kube-object.ts';
import { ContainerLog } from './container-log.ts';
import { LAB_IMAGE } from './lab-objects.ts';
import { containerId, nodeTime } from './pod-status.ts';

const NOT_STARTED = 128;

/** A container that was added to a pod that runs: a process in the pod's network that is started once and never again. Owner: its pod; kill() ends it. */
export class EphemeralContainer {
  readonly log = new ContainerLog();
  readonly #container: KubeContainer;
  readonly #onChange: () => void;
  #state: ContainerStatus['state'] = { waiting: { reason: 'ContainerCreating' } };
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  /** onChange: its status is another. */
  constructor(container: KubeContainer, onChange: () => void) {
    this.#container = container;
    this.#onChange = onChange;
  }

  get status(): ContainerStatus {
    const { name, image } = this.#container;
    const pid = this.#child?.pid;
    const id = pid === undefined ? {} : { containerID: containerId(pid) };
    return { name, image, imageID: '', ready: false, restartCount: 0, state: this.#state, ...id };
  }

  start(place: PodPlace): void {
    const { command = [], args = [], env = [], image } = this.#container;
    const [program, ...rest] = [...command, ...args];
    if (image !== LAB_IMAGE) return this.#wait('ErrImagePull', `there are no images here but ${LAB_IMAGE}`);
    if (program === undefined) return this.#wait('CreateContainerConfigError', 'it has no command');
    const environment = Object.fromEntries(env.map(({ name, value = '' }) => [name, value]));
    const [first, ...others] = inPod(place, [program, ...rest]);
    const child = spawn(first, others, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...environment },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => this.log.write(text));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    child.once('spawn', () => this.#set({ running: { startedAt: nodeTime() } }));
    child.once('error', (error) => {
      this.log.write(`${error.message}\n`);
      this.#end(NOT_STARTED, 'StartError');
      resolve();
    });
    // 'close', not 'exit': its last lines come first.
    child.once('close', (code) => {
      this.#end(code ?? KILLED, code === 0 ? 'Completed' : 'Error');
      resolve();
    });
  }

  /** Resolves when it is gone; nothing is waited for, as its pod is being ended. */
  async kill(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid !== undefined && this.#state.terminated === undefined)
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // ended by itself just now
      }
    await this.#ended;
    this.log.end();
  }

  #end(exitCode: number, reason: string): void {
    if (this.#state.terminated !== undefined) return;
    const id = this.#child?.pid === undefined ? {} : { containerID: containerId(this.#child.pid) };
    this.log.end();
    this.#set({ terminated: { exitCode, reason, finishedAt: nodeTime(), ...id } });
  }

  #wait(reason: string, message: string): void {
    this.#set({ waiting: { reason, message } });
  }

  #set(state: ContainerStatus['state']): void {
    this.#state = state;
    this.#onChange();
  }
}
