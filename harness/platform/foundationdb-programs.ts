import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { HarnessError } from './errors.ts';
import { findProgram, SETUP_CACHE, pathFolders } from './tools.ts';

export interface FoundationdbPrograms {
  readonly fdbserver: string;
  readonly fdbcli: string;
  /** libfdb_c.so; null: the system's loader finds it. */
  readonly library: string | null;
  /** What a pair of clusters is copied with; left out: they are not there. */
  readonly pair?: PairPrograms;
}

export interface PairPrograms {
  readonly fdbdr: string;
  readonly drAgent: string;
}

/** Where packages put the library. */
const SYSTEM_FOLDERS = ['/usr/lib', '/usr/local/lib', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu'] as const;
const LIBRARY = 'libfdb_c.so';

/**
 * FoundationDB on this machine: programs in `FDB_BIN` where that is set, else in PATH, else where ./scripts/setup unpacks them; the library as `FDB_LIB` says, else beside the programs, else the system's. A string says what
 * is missing.
 */
export function findFoundationdb(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): FoundationdbPrograms | `no ${string}` {
  const { FDB_BIN: folder, FDB_LIB: named } = environment;
  const folders = folder === undefined ? [...pathFolders(), path.join(SETUP_CACHE, 'foundationdb', 'bin')] : [path.resolve(folder)];
  const fdbserver = findProgram('fdbserver', folders);
  const fdbcli = findProgram('fdbcli', folders);
  const where = folder === undefined ? '' : ` in ${folder} (FDB_BIN)`;
  if (fdbserver === undefined) return `no fdbserver${where}`;
  if (fdbcli === undefined) return `no fdbcli${where}`;
  const there = path.dirname(fdbserver);
  const beside = [path.join(there, LIBRARY), path.resolve(there, '../lib', LIBRARY)].find((file) => existsSync(file));
  const library = named === undefined ? (beside ?? null) : path.resolve(named);
  const found = { fdbserver, fdbcli, library, ...pairPrograms([there, ...folders]) };
  if (library !== null) return existsSync(library) ? found : `no ${library}${named === undefined ? '' : ' (FDB_LIB)'}`;
  return SYSTEM_FOLDERS.some((one) => existsSync(path.join(one, LIBRARY))) ? found : `no ${LIBRARY}`;
}

/** The server's package has the agent in a folder of its own, under a name of its own. */
function pairPrograms(folders: readonly string[]): Pick<FoundationdbPrograms, 'pair'> {
  const agents = folders.flatMap((folder) => [folder, path.join(folder, '../lib/foundationdb/backup_agent')]);
  const [fdbdr, drAgent] = [findProgram('fdbdr', folders), findProgram('dr_agent', agents)];
  return fdbdr === undefined || drAgent === undefined ? {} : { pair: { fdbdr, drAgent } };
}

/** Throws HarnessError `missing-tool`. */
export function needPairPrograms({ pair }: FoundationdbPrograms): PairPrograms {
  if (pair === undefined) throw new HarnessError('missing-tool', `${NO_PAIR_PROGRAMS}: ${HOW}`);
  return pair;
}

export const NO_PAIR_PROGRAMS = 'no fdbdr or no dr_agent';

/** As findFoundationdb. Throws HarnessError `missing-tool` with the fix. */
export function needFoundationdb(): FoundationdbPrograms {
  const found = findFoundationdb();
  if (typeof found === 'string') throw new HarnessError('missing-tool', `${found}: ${HOW}`);
  return found;
}

/** What to do where there is none. */
export const HOW =
  'install the server and clients packages of FoundationDB 7.3, or name the folder of its programs with FDB_BIN and libfdb_c.so with FDB_LIB (./scripts/setup --with-foundationdb looks for them, and gets them where it can)';
