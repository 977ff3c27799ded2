import type { FoundationdbConfig } from '../config/foundationdb-config.ts';
import { EngineError } from '../platform/errors.ts';
import { findProgram } from '../platform/find-program.ts';

/** What a pair is moved with, where nobody names others. */
export function pairPrograms({ pair_programs: given }: Pick<FoundationdbConfig, 'pair_programs'>): {
  readonly fdbcli: string;
  readonly fdbdr: string;
} {
  const { fdbcli = 'fdbcli', fdbdr = 'fdbdr' } = given ?? {};
  return { fdbcli, fdbdr };
}

/**
 * Throws EngineError `bad-config` where a gateway whose region has its own cluster of a pair lacks what the pair is moved with: nobody would hear of it before the failover, which then could not be made.
 */
export function needPairPrograms(foundationdb: FoundationdbConfig): void {
  if (foundationdb.pair_homes === undefined) return;
  for (const [setting, program] of Object.entries(pairPrograms(foundationdb)))
    if (findProgram(program) === undefined)
      throw new EngineError(
        'bad-config',
        `database.pair_programs.${setting}: ${program} is ${program.includes('/') ? 'no program' : 'not on PATH'}, and the pair is moved with it: install the FoundationDB client package of the version of your servers (foundationdb-clients), or name it there`,
      );
}
