import { runProgram } from './base/program.ts';
import { CORRECT } from './base/sentences.ts';

/**
 * Known-bad. The sentence that it breaks: *a holder whose lease is over acknowledges nothing.*
 * It goes on as if it were the only one: into its own log, synced, acknowledged.
 */
process.exit(await runProgram(process.argv.slice(2), { ...CORRECT, fenced: (alone) => alone() }));
