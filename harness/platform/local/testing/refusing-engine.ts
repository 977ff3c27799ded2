import process from 'node:process';

/** An engine that will not have its configuration, and says why. */
process.stderr.write('bad-config: the client library cannot be loaded\n');
process.exitCode = 2;
