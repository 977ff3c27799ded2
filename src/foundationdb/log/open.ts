import type { Database } from 'foundationdb';
import { randomUUID } from 'node:crypto';
import { readdirSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { FoundationdbConfig } from '../../config/foundationdb-config.ts';
import type { Clock } from '../../platform/clock.ts';
import { EngineError } from '../../platform/errors.ts';
import { findProgram, onPath } from '../../platform/find-program.ts';
import { makeFolder } from '../../platform/make-folder.ts';
import { lockFolder } from '../../server/folder-lock.ts';
import { clientSettings, forPrograms, openCluster } from '../client.ts';
import { readFence } from '../fence.ts';
import { keySpaceOf } from '../key-space.ts';
import { readPast } from '../lock-held.ts';
import { STATUS_KEY } from '../status-json.ts';
import { startBackupAgent } from './backup-agent.ts';
import { FoundationdbLog } from './capture.ts';
import { abortCapture, abortWords, captureStatus, runningAgents, startCapture, type Fdbbackup } from './fdbbackup.ts';

const FILES = 'files-';
/** Where FoundationDB's packages put `backup_agent`. */
const PACKAGED = '/usr/lib/foundationdb/backup_agent';

export interface FoundationdbLogOptions {
  readonly database: FoundationdbConfig;
  /** Of the configuration file. */
  readonly folder: string;
  /** Where the files lie until they are stored. */
  readonly captureFolder: string;
  /** The folder of `fdbbackup` and `backup_agent`; null: they are on PATH. */
  readonly programs: string | null;
  readonly maxBytes: number;
  readonly clock: Clock;
  /** Hears that the agent has ended by itself, and is started again. */
  readonly onAgentEnd: (what: string) => void;
}

/** The changes of the configured key space. @throws EngineError bad-config where a program is missing, the folder cannot be made, or another program of this machine has it */
export async function openFoundationdbLog(options: FoundationdbLogOptions): Promise<FoundationdbLog> {
  const { database, captureFolder, programs, maxBytes, clock, onAgentEnd } = options;
  const settings = clientSettings(database, options.folder);
  const fdbbackup = programNamed('fdbbackup', programs);
  const agent = programNamed('backup_agent', programs);
  const place = resolve(options.folder, captureFolder);
  makeFolder(place, 'backup.foundationdb_log.folder');
  const db = openCluster(settings);
  const lock = await lockFolder(place);
  const keys = keySpaceOf(database.prefix);
  const cluster = forPrograms(settings);
  // fdbbackup takes no path with a symbolic link in it.
  const folder = realpathSync(filesIn(place));
  const backup: Fdbbackup = { ...cluster, program: fdbbackup, tag: `coditect-dr-${database.prefix.slice(0, -1)}`, folder };
  return new FoundationdbLog({
    folder,
    keys,
    backup: {
      status: (signal) => captureStatus(backup, signal),
      start: (signal) => startCapture(backup, keys, signal),
      abort: (signal) => abortCapture(backup, signal),
      abortWords: abortWords(backup),
    },
    startAgent: () => startBackupAgent({ ...cluster, program: agent, clock, onEnd: onAgentEnd }),
    agents: async () => runningAgents((await readStatus(db))?.toString() ?? ''),
    fence: () => readPast(db, (transaction) => readFence(transaction, keys.fence)),
    maxBytes,
    clock,
    release: async () => {
      db.close();
      await lock.release();
    },
  });
}

/** Its name is no other's, also on another machine where the configuration is the same: by its path a capture is known as this service's. */
function filesIn(place: string): string {
  const name = readdirSync(place).find((each) => each.startsWith(FILES)) ?? `${FILES}${randomUUID()}`;
  makeFolder(join(place, name), 'backup.foundationdb_log.folder');
  return join(place, name);
}

async function readStatus(db: Database): Promise<Buffer | undefined> {
  return (await readPast(db, (transaction) => transaction.get(STATUS_KEY))).value;
}

function programNamed(name: string, folder: string | null): string {
  const found = findProgram(name, folder === null ? [...onPath(), PACKAGED] : [folder]);
  if (found !== undefined) return found;
  throw new EngineError(
    'bad-config',
    `backup.foundationdb_log needs ${name}, which is not ${folder === null ? 'on PATH' : `in ${folder}`}: install the FoundationDB client package of the version of your servers (foundationdb-clients), or name the folder with backup.foundationdb_log.programs`,
  );
}
