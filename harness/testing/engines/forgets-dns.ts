import { runProgram } from './base/program.ts';
import { CORRECT } from './base/sentences.ts';

/**
 * Known-bad. The sentence that it breaks: *the service name follows the primary.*
 * It publishes the first primary and no other; a failover ends with the name still pointing at the old one.
 */
process.exit(
  await runProgram(process.argv.slice(2), { ...CORRECT, route: (why, publish) => (why === 'start' ? publish() : Promise.resolve()) }),
);
