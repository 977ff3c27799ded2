import path from 'node:path';
import { HarnessError } from '../errors.ts';
import { ProgramsHere } from '../local/programs-here.ts';
import type { Injection, LinkWatch, OwnService, Platform, Pod, PodProgram, RunContext } from '../platform.ts';

const NO_FAULTS = 'of a system that is known by its addresses nobody could see whether a fault took effect';

export interface Addressed {
  readonly pods: readonly Pod[];
  readonly ownService?: OwnService;
  /** Where programs run that are started in any pod. */
  readonly folder: string;
}

/**
 * A system that somebody else started, known by its addresses only. Clients and the operator's agent run on this machine, beside the run; nothing is injected, since no probe of ours looks into the system:
 * a run measures what it does by itself, or what others do to it.
 */
export class AddressedSystem implements Platform {
  readonly kind = 'addresses';
  readonly ownService: OwnService | undefined;
  readonly #system: Addressed;
  readonly #programs: ProgramsHere;

  constructor(system: Addressed, context: RunContext) {
    this.#system = system;
    this.ownService = system.ownService;
    this.#programs = new ProgramsHere(system.folder, path.join(context.runFolder, 'clients'));
  }

  supports(): string {
    return NO_FAULTS;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  pods(): readonly Pod[] {
    return this.#system.pods;
  }

  injection(): Injection {
    throw new HarnessError('unsupported', NO_FAULTS);
  }

  reachability(): Promise<never> {
    return Promise.reject(new HarnessError('unsupported', NO_FAULTS));
  }

  watchLinks(): LinkWatch {
    throw new HarnessError('unsupported', NO_FAULTS);
  }

  processes(): Promise<never> {
    return Promise.reject(new HarnessError('unsupported', NO_FAULTS));
  }

  clocks(): Promise<never> {
    return Promise.reject(new HarnessError('unsupported', NO_FAULTS));
  }

  resolve(): Promise<never> {
    return Promise.reject(new HarnessError('unsupported', NO_FAULTS));
  }

  runInPod(pod: string, program: string, args: readonly string[]): PodProgram {
    return this.#programs.run(pod, program, args);
  }

  async close(): Promise<readonly string[]> {
    await this.#programs.close();
    return [];
  }
}
