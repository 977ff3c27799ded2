/**
 * `node hold-lab.js FOLDER`: a lab with stand-in engines and a partition in force, held until killed or told to stop. What the tests of the
 * sandbox pull the ground from under.
 */
import { mkdirSync } from 'node:fs';
import process from 'node:process';
import { systemClock } from '../../clock.ts';
import { onStopWanted, prepareSandbox } from '../lifeline.ts';
import { LocalPlatform } from '../local.ts';
import { enterSandbox, insideSandbox } from '../sandbox.ts';

async function hold(runFolder: string): Promise<number> {
  await prepareSandbox();
  const stop = Promise.withResolvers<string>();
  const starting = new AbortController();
  onStopWanted((why) => {
    starting.abort();
    stop.resolve(why);
  });
  mkdirSync(runFolder, { recursive: true });
  const clock = systemClock(process.hrtime.bigint());
  const context = { nowMs: () => clock.nowMs(), record: () => undefined, runFolder, seed: 1 };
  const engineMain = `${import.meta.dirname}/stand-in-engine.js`;
  const lab = new LocalPlatform(context, { replication: 'sync', policy: 'lab', engineMain });
  const alive = setInterval(() => undefined, 60_000);
  try {
    await lab.start(AbortSignal.any([starting.signal, AbortSignal.timeout(90_000)]));
    const names = (region: string): string[] => lab.topology.pods.filter((pod) => pod.region === region).map((pod) => pod.name);
    await lab.injection([{ act: 'cut', from: names('us-central1'), to: names('us-east1') }]).apply(starting.signal);
    process.stdout.write('holding\n');
    await stop.promise;
  } finally {
    clearInterval(alive);
    process.stdout.write(`${JSON.stringify({ leftovers: await lab.close() })}\n`);
  }
  return 130;
}

const [, , folder = ''] = process.argv;
process.exitCode = insideSandbox() ? await hold(folder) : await enterSandbox(process.argv.slice(1));
