import type { Random } from './random.ts';

/** Where a message comes from or goes to. */
export interface Place {
  readonly region: string;
  readonly program: 'database' | 'controller' | 'api' | 'arbiter' | 'dns' | 'client';
}

/** What is wrong with the ways that match; a field that is not given matches everything. */
export interface Impairment {
  readonly from?: string;
  readonly to?: string;
  readonly fromProgram?: Place['program'];
  readonly toProgram?: Place['program'];
  /** Only what crosses the border of a region. */
  readonly outside?: boolean;
  readonly cut?: boolean;
  readonly lossProbability?: number;
  readonly delayMs?: number;
  readonly duplicateProbability?: number;
}

const TAIL_PROBABILITY = 0.02;

/** The ways between all places: how long a message takes, whether it arrives, how often. Later messages may overtake earlier ones. */
export class Network {
  readonly #random: Random;
  readonly #impairments = new Set<Impairment>();

  constructor(random: Random) {
    this.#random = random;
  }

  impair(impairment: Impairment): void {
    this.#impairments.add(impairment);
  }

  mend(impairment: Impairment): void {
    this.#impairments.delete(impairment);
  }

  isCut(from: Place, to: Place): boolean {
    for (const impairment of this.#impairments) if (impairment.cut === true && matches(impairment, from, to)) return true;
    return false;
  }

  /** Milliseconds until each copy of a message arrives; none where it is lost. */
  deliveries(from: Place, to: Place): readonly number[] {
    const random = this.#random;
    let delayMs = from.region === to.region ? random.between(0.1, 0.6) : random.between(0.8, 6);
    if (random.chance(TAIL_PROBABILITY)) delayMs += random.between(0, 60);
    let copies = 1;
    for (const impairment of this.#impairments) {
      if (!matches(impairment, from, to)) continue;
      if (impairment.cut === true || random.chance(impairment.lossProbability ?? 0)) return [];
      if (impairment.delayMs !== undefined) delayMs += random.between(0.2, 1) * impairment.delayMs;
      if (random.chance(impairment.duplicateProbability ?? 0)) copies = 2;
    }
    return copies === 1 ? [delayMs] : [delayMs, delayMs + random.between(0, 100)];
  }
}

function matches({ from, to, fromProgram, toProgram, outside }: Impairment, source: Place, target: Place): boolean {
  return (
    (outside !== true || source.region !== target.region) &&
    (from === undefined || from === source.region) &&
    (to === undefined || to === target.region) &&
    (fromProgram === undefined || fromProgram === source.program) &&
    (toProgram === undefined || toProgram === target.program)
  );
}
