/**
 * The reach process: owns the probe sockets of all pods and sends between them, apart from the runner so that the runner's work does not
 * disturb its timing. It speaks over the channel of fork() and ends when that closes.
 */
import { beScheduledFirst } from '../../scheduled-first.ts';
import { Endpoints } from './endpoints.ts';
import { makeAllSockets } from './make-sockets.ts';
import type { Answer, Request } from './protocol.ts';
import { sweep } from './sweep.ts';
import { Watch } from './watch.ts';

let endpoints: Endpoints | undefined;
let originNs = 0n;
const watches = new Map<number, Watch>();

async function handle(request: Request): Promise<Omit<Extract<Answer, { ok: true }>, 'id' | 'ok'>> {
  if (request.ask === 'start') {
    originNs = BigInt(request.originNs);
    endpoints = new Endpoints(request.pods, await makeAllSockets(request.pods));
    beScheduledFirst();
    return {};
  }
  if (!endpoints) throw new Error(`${request.ask} before start`);
  switch (request.ask) {
    case 'sweep':
      return { cells: await sweep(endpoints, request.pods) };
    case 'watch': {
      const watch = new Watch(endpoints, request, () => Number(process.hrtime.bigint() - originNs) / 1e6);
      watches.set(request.watch, watch);
      await watch.started;
      return {};
    }
    case 'stop': {
      const beacons = (await watches.get(request.watch)?.stop()) ?? [];
      watches.delete(request.watch);
      return { beacons };
    }
  }
}

process.on('message', (request: Request) => {
  handle(request).then(
    (result) => process.send?.({ id: request.id, ok: true, ...result } satisfies Answer),
    (error: unknown) =>
      process.send?.({ id: request.id, ok: false, message: error instanceof Error ? error.message : String(error) } satisfies Answer),
  );
});
process.on('disconnect', () => {
  for (const watch of watches.values()) void watch.stop();
  endpoints?.close();
  endpoints = undefined;
});
