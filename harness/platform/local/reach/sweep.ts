import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { ReachabilityCell } from '../../../history/event.ts';
import type { Endpoints } from './endpoints.ts';

const ROUNDS = 3;
const ROUND_MS = 10;
/** How long after the last round a probe may still come in. Within one host it takes well under a millisecond. */
const WAIT_MS = 100;

/** Three datagrams on every directed pair of these pods and in each family; counts what came in. */
export async function sweep(endpoints: Endpoints, pods: readonly string[]): Promise<readonly ReachabilityCell[]> {
  const pairs = pods.flatMap((from) => pods.filter((to) => to !== from).map((to) => ({ from, to })));
  const links = endpoints.links(pairs);
  const seen = links.map(() => new Set<number>());
  let missing = links.length * ROUNDS;
  const session = endpoints.open({
    links,
    arrived: (link, seq) => {
      const arrived = seen[link];
      if (!arrived || arrived.has(seq)) return;
      arrived.add(seq);
      missing--;
    },
  });
  for (let seq = 0; seq < ROUNDS; seq++) {
    if (seq > 0) await sleep(ROUND_MS);
    await sendRound(endpoints, links, { session, seq });
  }
  for (let waitedMs = 0; missing > 0 && waitedMs < WAIT_MS; waitedMs += ROUND_MS) await sleep(ROUND_MS);
  await drained(() => missing);
  endpoints.shut(session);
  return links.map((link, index) => ({ ...link, sent: ROUNDS, received: seen[index]?.size ?? 0 }));
}

/** In small portions with a turn of the event loop between them: a receive buffer is emptied before it can overflow. */
async function sendRound(
  endpoints: Endpoints,
  links: ReturnType<Endpoints['links']>,
  { session, seq }: { readonly session: number; readonly seq: number },
): Promise<void> {
  const PORTION = 64;
  for (let start = 0; start < links.length; start += PORTION) {
    const portion = links.slice(start, start + PORTION).map((link, offset) => ({ link, index: start + offset }));
    await Promise.all(
      portion.map(({ link, index }) => new Promise<void>((done) => endpoints.send(link, { session, link: index, seq }, done))),
    );
    await nextTurn();
  }
}

/** Until two turns of the event loop in a row brought nothing in: what lay in a buffer while this process was not scheduled counts. */
async function drained(missing: () => number): Promise<void> {
  const TURNS = 1000;
  for (let turn = 0, quiet = 0, last = missing(); turn < TURNS && quiet < 2 && last > 0; turn++) {
    await nextTurn();
    quiet = missing() === last ? quiet + 1 : 0;
    last = missing();
  }
}
