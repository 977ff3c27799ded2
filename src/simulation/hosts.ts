import { Random } from './random.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { HostClock, SimulatedProcess, type Program } from './simulated-process.ts';
import type { VirtualTime } from './virtual-time.ts';

/** After a program ended by itself, its container is started again. */
const RESTART_MS = 300;

/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 1500;

/** Disks, clocks, and the programs' lives on them: a program runs unless some fault keeps it down. */
export class Hosts {
  readonly #time: VirtualTime;
  readonly #random: Random;
  /** Runs the program in its new process. */
  readonly #boot: (process: SimulatedProcess) => void;
  readonly #disks = new Map<string, SimulatedDisk>();
  readonly #clocks = new Map<string, HostClock>();
  readonly #processes = new Map<string, SimulatedProcess>();
  /** How many faults keep a program down. */
  readonly #down = new Map<string, number>();

  constructor(time: VirtualTime, seed: number, boot: (process: SimulatedProcess) => void) {
    this.#time = time;
    this.#random = new Random(seed, 'hosts');
    this.#boot = boot;
  }

  disk(region: string): SimulatedDisk {
    return getOrMake(this.#disks, region, () => new SimulatedDisk());
  }

  /** How long this disk takes to sync now. */
  syncMs(disk: SimulatedDisk): number {
    return this.#random.between(0.5, 5) + disk.slowMs * this.#random.between(0.5, 1);
  }

  clock(region: string, program: Program): HostClock {
    return getOrMake(this.#clocks, `${program}.${region}`, () => new HostClock(this.#time, this.#random.between(0, 1e6)));
  }

  /** Its present life, or its last one. */
  process(region: string, program: Program): SimulatedProcess {
    return this.#processes.get(`${program}.${region}`) as SimulatedProcess;
  }

  /** Starts a program unless another fault still keeps it down. */
  start(region: string, program: Program): void {
    const name = `${program}.${region}`;
    const down = Math.max(0, (this.#down.get(name) ?? 0) - 1);
    this.#down.set(name, down);
    if (down === 0) this.#begin(region, program);
  }

  kill(region: string, program: Program): void {
    const name = `${program}.${region}`;
    this.#down.set(name, (this.#down.get(name) ?? 0) + 1);
    this.#processes.get(name)?.kill();
  }

  /** SIGTERM, and SIGKILL where it has not ended by then: as a rollout ends a pod. */
  terminate(region: string, program: Program): void {
    const name = `${program}.${region}`;
    const process = this.#processes.get(name);
    this.#down.set(name, (this.#down.get(name) ?? 0) + 1);
    if (process === undefined) return;
    this.#time.after(0, process, () => process.ending.abort(new Error('SIGTERM')));
    this.#time.after(GRACE_MS, null, () => process.kill());
  }

  /** It ended by itself: its disk failed. */
  exited(process: SimulatedProcess): void {
    if (process.isDead) return;
    const { region, program } = process;
    process.kill();
    this.#time.after(RESTART_MS, null, () => {
      if ((this.#down.get(`${program}.${region}`) ?? 0) === 0) this.#begin(region, program);
    });
  }

  #begin(region: string, program: Program): void {
    const name = `${program}.${region}`;
    const before = this.#processes.get(name);
    if (before !== undefined && !before.isDead) return;
    const process = new SimulatedProcess({ region, program }, this.#time, this.clock(region, program), this.#random);
    this.#processes.set(name, process);
    this.#time.after(0, process, () => this.#boot(process));
  }
}

function getOrMake<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
