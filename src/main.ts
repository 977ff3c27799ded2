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
/** A signal that comes again so soon is the same wish: `timeout` and a terminal give it to the process and to its group, npm passes on what the group got. */
const SAME_WISH_MS = 1000;
const ending = new AbortController();
let interrupted = false;
let askedAtMs = 0;
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    if (ending.signal.aborted) {
      // Ctrl-C once more: whoever asks does not want to wait. A program that ends others sends SIGKILL for that.
      if (name === 'SIGINT' && performance.now() - askedAtMs >= SAME_WISH_MS) process.exit(INTERRUPTED);
      return;
    }
    askedAtMs = performance.now();
    interrupted = name === 'SIGINT';
    ending.abort(new Error(name));
  });
}
/** Those to which anything was said: the log of a program that runs on writes to its file descriptor itself, and is to find it as it is. */
const used = new Set<NodeJS.WriteStream>();
function say(stream: NodeJS.WriteStream, text: string): void {
  if (!used.has(stream))
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // A reader that goes away (`| head`) wants no more to read; what is being done is still done to its end, whose exit code counts.
      if (error.code !== 'EPIPE') throw error;
    });
  used.add(stream);
  stream.write(text);
}
// Only now, as it takes its time: whoever asks it to end in the meantime is heard.
const { runCli } = await import('./cli.ts');
const code = await runCli(process.argv.slice(2), {
  environment: process.env,
  signal: ending.signal,
  out: (text) => say(process.stdout, text),
  err: (text) => say(process.stderr, text),
});
process.exitCode = interrupted ? INTERRUPTED : code;
// A pipe holds 64 KiB: what its reader has not taken by now would be cut off.
const taken = Promise.all([...used].map((stream) => new Promise((all) => stream.write('', all))));
await Promise.race([taken, new Promise((stop) => ending.signal.addEventListener('abort', stop, { once: true }))]);
// All is said and written by now. What a library still holds (a connection to a store that was cut off, which it gave up) may keep a program for minutes.
const LINGER_MS = 1000;
setTimeout(() => process.exit(), LINGER_MS).unref();

export {}; // a module, so that it may await
