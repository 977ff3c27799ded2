import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { PodProgram } from '../platform.ts';
import { BoundedLog } from './bounded-log.ts';
import { programEnvironment } from './environment.ts';
import { startPodProgram, type PodProgramProcess } from './pod-program.ts';

/** Clients and other programs of a run that are on this machine itself, in no pod. Owner: the platform; close() ends them. */
export class ProgramsHere {
  readonly #folder: string;
  readonly #logs: string;
  readonly #programs = new Map<PodProgramProcess, BoundedLog>();

  /** folder: where they run; logs: where they may complain. */
  constructor(folder: string, logs: string) {
    this.#folder = folder;
    this.#logs = logs;
  }

  run(name: string, program: string, args: readonly string[]): PodProgram {
    mkdirSync(this.#logs, { recursive: true });
    const log = new BoundedLog(path.join(this.#logs, `${name}.log`));
    const started = startPodProgram(['env', '-C', this.#folder, program, ...args], programEnvironment(), log);
    this.#programs.set(started, log);
    return started;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#programs.keys()].map((program) => program.stop()));
    await Promise.all([...this.#programs.values()].map((log) => log.close()));
  }
}
