#!/usr/bin/env node
// Nothing is imported here: an older Node would stumble over what the rest needs before this could say so.
const NEEDED = 24;
if (Number(/^v(\d+)\./.exec(process.version)?.[1]) < NEEDED) {
  process.stderr.write(
    `gameday needs Node ${NEEDED}, this is ${process.version}; ./scripts/setup installs one as node_modules/.bin/node, npm run uses it\n`,
  );
  process.exit(2);
}
// A reader that goes away (`| head`) wants no more to read; what is being done is still done to its end, whose exit code counts.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
const { runCli } = await import('./cli.ts');
const code = await runCli(process.argv.slice(2));
// `play` shows a run that is over: a reader that stands still (a pager) must not keep its lab.
const LINGER_MS = 5000;
if (process.argv[2] === 'play') setTimeout(() => process.exit(code), LINGER_MS);
// A pipe holds 64 KiB: what its reader has not taken by now would be cut off.
for (const stream of [process.stdout, process.stderr]) await new Promise((taken) => stream.write('', taken));
process.exit(code);

export {}; // a module, so that it may await
