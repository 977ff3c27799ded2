import { createHash } from 'node:crypto';

/** A seeded source of choices: the same seed and name always give the same ones. */
export interface Random {
  /** A whole number in [0, bound), each equally likely. */
  below(bound: number): number;
}

/** splitmix64, seeded from the run's seed and a name (the fault's), so that adding a fault does not change the choices of another. */
export function seededRandom(seed: number, name: string): Random {
  let state = createHash('sha256').update(`${seed}/${name}`).digest().readBigUInt64BE();
  const next = (): bigint => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  };
  return {
    below(bound) {
      if (!Number.isSafeInteger(bound) || bound < 1) throw new RangeError(`below(${bound})`);
      // Values past the last whole multiple of bound would favour the small results; draw again.
      const limit = (1n << 64n) - ((1n << 64n) % BigInt(bound));
      let drawn = next();
      while (drawn >= limit) drawn = next();
      return Number(drawn % BigInt(bound));
    },
  };
}
