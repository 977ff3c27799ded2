import type { FoundationdbConfig } from '../config/foundationdb-config.ts';
import { EngineError } from '../platform/errors.ts';
import { findProgram } from '../platform/find-program.ts';

/**
 * Throws EngineError `bad-config` where a gateway whose region has its own cluster of a pair lacks what the pair is moved with: nobody would hear of it before the failover, which then could not be made.
 */
export function needPairPrograms({ pair_homes: homes, pair_programs: given }: FoundationdbConfig): void {
  if (homes === undefined) return;
  const { fdbcli = 'fdbcli', fdbdr = 'fdbdr' } = given ?? {};
  for (const [setting, program] of Object.entries({ fdbcli, fdbdr }))
    if (findProgram(program) === undefined)
      throw new EngineError(
        'bad-config',
        `database.pair_programs.${setting}: ${program} is ${program.includes('/') ? 'no program' : 'not on PATH'}, and the pair is moved with it: install the FoundationDB client package of the version of your servers (foundationdb-clients), or name it there`,
      );
}
