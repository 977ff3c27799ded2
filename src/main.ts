#!/usr/bin/env node
import { runCli } from './cli.ts';
import { EXIT } from './commands/world.ts';

const ending = new AbortController();
let interrupted = false;
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    // Asked twice: whoever asks does not want to wait.
    if (ending.signal.aborted) process.exit(EXIT.interrupted);
    interrupted = name === 'SIGINT';
    ending.abort(new Error(name));
  });
}
const code = await runCli(process.argv.slice(2), {
  environment: process.env,
  signal: ending.signal,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
process.exitCode = interrupted ? EXIT.interrupted : code;
