import { runProgram } from './base/program.ts';
import { CORRECT, type Acknowledged, type Sentences, type Write } from './base/sentences.ts';

const HELD_MS = 200;

/**
 * Known-bad. The sentence that it breaks: *a write is acknowledged when it is durable under the replication mode.*
 * It acknowledges at once and keeps the write in its own memory for 200 ms before it is written or shipped anywhere (the page cache would
 * survive a SIGKILL; this does not). Its reads see what it holds, so nothing but a crash can tell.
 */
function acknowledgesEarly(): Sentences {
  const held = new Map<string, { readonly write: Write; readonly number: number }>();
  let waiting: (() => Promise<Acknowledged>)[] = [];
  let number = 0;

  function flush(): void {
    const due = waiting;
    waiting = [];
    for (const commit of due) void commit();
  }
  return {
    ...CORRECT,
    acknowledge: (write, commit, next) => {
      const mine = ++number;
      held.set(write.key, { write, number: mine });
      if (waiting.length === 0) setTimeout(flush, HELD_MS);
      waiting.push(async () => {
        const place = await commit();
        if (held.get(write.key)?.number === mine) held.delete(write.key);
        return place;
      });
      return Promise.resolve({ epoch: next.epoch, index: next.index + waiting.length - 1 });
    },
    read: (key, committed) => {
      const write = held.get(key)?.write;
      if (write) return write.op === 'put' ? write.value : undefined;
      return committed.get(key);
    },
  };
}

process.exit(await runProgram(process.argv.slice(2), acknowledgesEarly()));
