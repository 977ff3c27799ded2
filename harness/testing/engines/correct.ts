import { runProgram } from './base/program.ts';
import { CORRECT } from './base/sentences.ts';

/** The control: the same program as the known-bad engines with no sentence broken. It must pass where they fail. */
process.exit(await runProgram(process.argv.slice(2), CORRECT));
