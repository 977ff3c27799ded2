import { readFileSync } from 'node:fs';
import { EngineError } from '../platform/errors.ts';

/** As the client reads it (MonitorLeader.actor.cpp, `trim` and `parseKey`), as far as its coordinators: those it tells of itself. */
const CONNECTION = /^\w*:[A-Za-z0-9]*@[^@,]+:\d/;
const COMMENTS_AND_SPACE = /#[^\n\r]*|\s+/g;

/**
 * Throws EngineError `bad-config` where there is none, or what is there is none: the client takes whatever it is for a cluster that does not answer, and says nothing of it. `setting`: what names it.
 */
export function needClusterFile(file: string, setting = 'database.cluster_file'): void {
  const bad = (why: string, cause?: unknown): EngineError => new EngineError('bad-config', `${setting}: ${file} ${why}`, cause);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const isAway = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw bad(isAway ? 'is not there; copy /etc/foundationdb/fdb.cluster of one of its servers' : 'cannot be read', cause);
  }
  if (!CONNECTION.test(text.replaceAll(COMMENTS_AND_SPACE, '')))
    throw bad(
      'is no cluster file: that is one line such as prod:Xy12ab@10.0.0.1:4500,10.0.0.2:4500; copy /etc/foundationdb/fdb.cluster of one of its servers',
    );
}
