import { setTimeout as pause } from 'node:timers/promises';
import { runProgram } from './base/program.ts';
import { CORRECT, type Acknowledged, type Sentences, type Write } from './base/sentences.ts';

const HELD_MS = 200;

/**
 * Known-bad. The sentence that it breaks: *a write is acknowledged when it is durable under the replication mode.*
 * It acknowledges at once and keeps the write in its own memory for 200 ms before it is written or shipped anywhere (the page cache would
 * survive a SIGKILL; this does not). Its reads see what it holds, so nothing but a crash can tell.
 */
function acknowledgesEarly(): Sentences {
  const newest = new Map<string, { readonly write: Write; readonly number: number }>();
  let number = 0;
  let held = 0;

  async function later(write: Write, mine: number, commit: () => Promise<Acknowledged>): Promise<void> {
    await pause(HELD_MS);
    held--;
    await commit();
    if (newest.get(write.key)?.number === mine) newest.delete(write.key);
  }
  return {
    ...CORRECT,
    acknowledge: (write, commit, next) => {
      const mine = ++number;
      newest.set(write.key, { write, number: mine });
      const place = { epoch: next.epoch, index: next.index + held++ };
      void later(write, mine, commit);
      return Promise.resolve(place);
    },
    read: (key, committed) => {
      const write = newest.get(key)?.write;
      if (write) return write.op === 'put' ? write.value : undefined;
      return committed.get(key);
    },
  };
}

process.exit(await runProgram(process.argv.slice(2), acknowledgesEarly()));
