import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { HarnessError } from '../errors.ts';
import { BoundedLog } from '../local/bounded-log.ts';
import { programEnvironment } from '../local/environment.ts';
import { startPodProgram, type PodProgramProcess } from '../local/pod-program.ts';
import { OUTSIDE, type Injection, type LinkWatch, type Platform, type Pod, type PodProgram, type RunContext } from '../platform.ts';
import type { AddressesFile } from './addresses-file.ts';

const NO_FAULTS = 'of a system that is known by its addresses nobody could see whether a fault took effect';
/**
 * A system that somebody else started, known by its addresses only. Clients and the operator's agent run on this machine, beside the run; nothing is injected, since no probe of ours looks into the system:
 * a run measures what it does by itself, or what others do to it.
 */
export class AddressedSystem implements Platform {
  readonly kind = 'addresses';
  readonly #system: AddressesFile;
  readonly #logs: string;
  readonly #programs = new Map<PodProgramProcess, BoundedLog>();

  constructor(system: AddressesFile, context: RunContext) {
    this.#system = system;
    this.#logs = path.join(context.runFolder, 'clients');
  }

  supports(): string {
    return NO_FAULTS;
  }

  start(): Promise<void> {
    mkdirSync(this.#logs, { recursive: true });
    return Promise.resolve();
  }

  /** The programs that have addresses, as if they were pods, and whoever measures. */
  pods(): readonly Pod[] {
    const { regions, clients, authority } = this.#system;
    return [
      ...Object.entries(regions).flatMap(([region, { api, database, controller }]) => [
        asPod('api', region, api),
        asPod('db', region, database),
        asPod('dr-controller', region, controller),
      ]),
      ...Object.entries(clients).flatMap(([region, { resolver }]) => [asPod('resolver', region, resolver), asPod('client', region)]),
      asPod('dns', OUTSIDE, authority),
      asPod('operator', OUTSIDE),
    ];
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

  /** On this machine, where the credentials are. */
  runInPod(pod: string, program: string, args: readonly string[]): PodProgram {
    const log = new BoundedLog(path.join(this.#logs, `${pod}.log`));
    const started = startPodProgram(['env', '-C', this.#system.credentials, program, ...args], programEnvironment(), log);
    this.#programs.set(started, log);
    return started;
  }

  async close(): Promise<readonly string[]> {
    await Promise.all([...this.#programs.keys()].map((program) => program.stop()));
    await Promise.all([...this.#programs.values()].map((log) => log.close()));
    return [];
  }
}

function asPod(app: string, region: string, address?: string): Pod {
  return {
    name: `${app}-${region}`,
    namespace: '',
    region,
    labels: { app, region },
    annotations: {},
    node: region,
    phase: 'Running',
    containers: [app],
    addresses: address === undefined ? [] : [address],
  };
}
