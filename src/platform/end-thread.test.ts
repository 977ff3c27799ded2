import { expect } from 'chai';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { endThread } from './end-thread.ts';

/** A thread, when it listens. */
async function started(code: string): Promise<{ readonly worker: Worker; readonly exit: Promise<unknown[]> }> {
  const worker = new Worker(`const { parentPort } = require('node:worker_threads'); ${code}; parentPort.postMessage('ready');`, {
    eval: true,
  });
  const exit = once(worker, 'exit');
  await once(worker, 'message');
  return { worker, exit };
}

describe('a thread that is to end', () => {
  it('ends by itself when it is told', async () => {
    const { worker, exit } = await started(`parentPort.on('message', ({ kind }) => kind === 'end' && parentPort.close())`);
    await endThread(worker);
    expect(await exit, 'not by force').to.deep.equal([0]);
    await endThread(worker);
  });
  it('is stopped by force where it does not listen', async () => {
    const { worker, exit } = await started(`parentPort.on('message', () => { for (;;); })`);
    await endThread(worker, 100);
    expect(await exit).to.deep.equal([1]);
  });
});
