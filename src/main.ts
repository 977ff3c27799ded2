#!/usr/bin/env node
// Nothing is imported above: an older Node would stumble over what the rest needs before this could say so.
const NEEDED = 24;
const INTERRUPTED = 130; // as EXIT says, which is imported below
if (Number(/^v(\d+)\./.exec(process.version)?.[1]) < NEEDED) {
  process.stderr.write(
    `coditect-dr needs Node ${NEEDED}, this is ${process.version}; ./scripts/setup installs one as node_modules/.bin/node, npm run uses it\n`,
  );
  process.exit(2);
}
// A reader that goes away (`| head`) wants no more to read; what is being done is still done to its end, whose exit code counts.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
const ending = new AbortController();
let interrupted = false;
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    // Asked twice: whoever asks does not want to wait.
    if (ending.signal.aborted) process.exit(INTERRUPTED);
    interrupted = name === 'SIGINT';
    ending.abort(new Error(name));
  });
}
// Only now, as it takes its time: whoever asks it to end in the meantime is heard.
const { runCli } = await import('./cli.ts');
const code = await runCli(process.argv.slice(2), {
  environment: process.env,
  signal: ending.signal,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
process.exitCode = interrupted ? INTERRUPTED : code;
// All is said and written by now. What a library still holds (a connection to a store that was cut off, which it gave up) may keep a program for minutes.
const LINGER_MS = 1000;
setTimeout(() => process.exit(), LINGER_MS).unref();

export {}; // a module, so that it may await
