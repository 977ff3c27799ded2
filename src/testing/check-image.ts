import { createInterface } from 'node:readline';
import { openLmdb } from '../database/lmdb.ts';

/**
 * A program of its own, because a damaged file may end the process that maps it. For each line `{folder, acknowledged: {key: value}}` on stdin it opens the database with the
 * real adapter, takes its whole log as committed, and answers `{missing: […]}` or `{error}`.
 */
interface Question {
  readonly folder: string;
  readonly acknowledged: Readonly<Record<string, string>>;
}

async function missingIn({ folder, acknowledged }: Question): Promise<readonly string[]> {
  const database = openLmdb(folder);
  try {
    database.commit(database.state().log.index);
    return Object.entries(acknowledged).flatMap(([key, value]) => (database.get(key) === value ? [] : [key]));
  } finally {
    await database.close();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await missingIn(JSON.parse(line) as Question).then(
    (missing) => ({ missing }),
    (error: unknown) => ({ error: String(error) }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
