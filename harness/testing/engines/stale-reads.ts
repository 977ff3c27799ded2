import { runProgram } from './base/program.ts';
import { CORRECT, type Sentences } from './base/sentences.ts';

const STALE_MS = 2000;

/**
 * Known-bad. The sentence that it breaks: *a read gives the newest acknowledged value.*
 * It answers from a copy that it takes anew when it is 2 s old.
 */
function staleReads(): Sentences {
  let copy: ReadonlyMap<string, string> = new Map();
  let takenMs = -Infinity;
  return {
    ...CORRECT,
    read: (key, committed) => {
      if (performance.now() - takenMs >= STALE_MS) {
        copy = new Map(committed);
        takenMs = performance.now();
      }
      return copy.get(key);
    },
  };
}

process.exit(await runProgram(process.argv.slice(2), staleReads()));
