import type { Arbiter } from './arbiter.ts';
import type { Config } from './config.ts';
import type { Client } from './https.ts';
import type { Lease } from './lease.ts';
import type { Log } from './log.ts';
import type { Replica } from './replica.ts';
import type { Sentences } from './sentences.ts';

/** What a database works with. */
export interface DatabaseParts {
  readonly config: Config;
  readonly client: Client;
  readonly arbiter: Arbiter;
  readonly replica: Replica;
  readonly say: Log;
  readonly sentences: Sentences;
}

/** The same, for one reign. */
export interface PrimaryParts extends DatabaseParts {
  readonly lease: Lease;
}
