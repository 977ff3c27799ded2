import type { Witness } from '../engine/witness.ts';
import type { ReadBack } from '../history/event.ts';
import type { Clock } from '../platform/clock.ts';
import { ONE_SERVICE, type OwnService, type RunContext } from '../platform/platform.ts';
import { measuredBy } from './clients.ts';
import { openService } from './service.ts';

const READ_TIMEOUT_MS = 5000;
/** For all keys, by each client: a service that is back answers tens of thousands in that. */
const READ_BACK_MS = 60_000;
/** What was written last may be on its way to where another client reads. */
const CATCH_UP_MS = 5000;
const READS_AT_ONCE = 16;

/**
 * A service of somebody's own: there is its ledger, and nothing that says how it is. So what was there before is nobody's concern (keys are the run's own), redundancy is waited for
 * without being asked for, and what is there at the end is read key by key, as each client reads.
 */
export function serviceWitness(service: OwnService, context: RunContext, clock: Clock): Witness {
  return {
    operator: null,
    refuseUsed: () => Promise.resolve(),
    watch: () => Promise.resolve(),
    awaitRedundancy: (atMostMs, signal) => clock.sleep(atMostMs, signal),
    readBack: async (keys, signal) => {
      const limitMs = clock.nowMs() + READ_BACK_MS;
      for (let equalByMs = Infinity; ; equalByMs = Math.min(equalByMs, clock.nowMs() + CATCH_UP_MS)) {
        const copies = [];
        for (const [index, vantage] of vantagesByUrl(service).entries()) {
          const read = await readAll(service, { vantage, keys, context }, { clock, limitMs, signal });
          const region = index === 0 ? ONE_SERVICE : `${ONE_SERVICE} (${vantage})`;
          copies.push({ kind: 'readback', region, ...read } satisfies ReadBack);
        }
        const [first, ...others] = copies.map(({ entries }) => JSON.stringify(entries));
        if (!others.every((one) => one === first) && clock.nowMs() < equalByMs) {
          await clock.sleep(100, signal);
          continue;
        }
        for (const copy of copies) context.record(copy);
        return;
      }
    },
    close: () => Promise.resolve(),
  };
}

/** One client of each URL. */
function vantagesByUrl({ clients }: OwnService): readonly string[] {
  const first = new Map(
    Object.entries(clients)
      .toReversed()
      .map(([vantage, url]) => [url, vantage]),
  );
  return Object.keys(clients).filter((vantage) => first.get(clients[vantage] ?? '') === vantage);
}

interface Asked {
  readonly vantage: string;
  readonly keys: readonly string[];
  readonly context: RunContext;
}
interface Within {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/** A key that nobody could read in time makes the whole copy unread: it may be the one that was lost. */
async function readAll(
  service: OwnService,
  { vantage, keys, context }: Asked,
  { clock, limitMs, signal }: Within,
): Promise<Omit<ReadBack, 'kind' | 'region'>> {
  const { finder, requester } = openService(measuredBy(service, vantage, context), READ_TIMEOUT_MS);
  const entries = new Map<string, string>();
  const left = keys.toSorted();
  let problem: string | undefined;
  const one = async (key: string): Promise<void> => {
    for (;;) {
      signal.throwIfAborted();
      const found = await finder.find(READ_TIMEOUT_MS);
      const address = found.ok ? (found.addresses[0] ?? '') : '';
      const answer = found.ok
        ? await requester.send({ seq: 0, op: 'get', key, value: null }, address, READ_TIMEOUT_MS)
        : ({ outcome: 'failed', value: null, reason: found.reason } as const);
      if (answer.outcome === 'ok') return void (answer.value === null || entries.set(key, answer.value));
      if (clock.nowMs() >= limitMs) throw new Error(`${key}: ${answer.reason ?? 'no answer'}`);
      await clock.sleep(100, signal);
    }
  };
  const some = async (): Promise<void> => {
    for (let key = left.pop(); key !== undefined && problem === undefined; key = left.pop())
      await one(key).catch((error: unknown) => (problem = error instanceof Error ? error.message : String(error)));
  };
  try {
    await Promise.all(Array.from({ length: READS_AT_ONCE }, some));
  } finally {
    finder.close();
    requester.close();
  }
  signal.throwIfAborted();
  if (problem !== undefined) return { ok: false, error: problem };
  const sorted = [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { ok: true, entries: Object.fromEntries(sorted) };
}
