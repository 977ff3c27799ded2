import { runProgram } from './base/program.ts';
import { CORRECT, type Sentences } from './base/sentences.ts';

/** From here on it looks for a write to lose, and there it loses it: long after it was acknowledged, with newer ones around it. */
const CANDIDATES_FROM = 200;
const LOST_AT = 700;

/**
 * Known-bad. The sentence that it breaks: *what has been acknowledged stays until it is overwritten or deleted.*
 * When entry 700 is applied it forgets one earlier write that nobody has touched since. Every region's copy does the same, so they agree.
 */
function losesOne(): Sentences {
  const candidates = new Map<string, string>();
  return {
    ...CORRECT,
    keep: ({ index, op, key, value }, committed) => {
      if (index < CANDIDATES_FROM || index > LOST_AT) return;
      if (op === 'put' && !candidates.has(key)) candidates.set(key, value);
      if (index < LOST_AT) return;
      const victim = [...candidates].find(([candidate, written]) => committed.get(candidate) === written);
      if (victim) committed.delete(victim[0]);
    },
  };
}

process.exit(await runProgram(process.argv.slice(2), losesOne()));
