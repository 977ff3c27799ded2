import type { LoadedConfig } from '../config/load.ts';
import { lookAtPair, noteSeen, turnLook } from '../foundationdb/pair.ts';
import { judgePair } from '../foundationdb/pair-judged.ts';
import { agentsOf, lockInWords, lockOn, serves, type PairSide } from '../foundationdb/pair-side.ts';
import { tellSteps, type Shown } from './ordering.ts';
import { Controllers } from './controllers.ts';
import { pairOf, servedCluster, type PairPrograms } from './pair-members.ts';
import { EXIT } from './world.ts';

/** Exits 0 where there is a primary with a fresh copy, 1 where there is not, 3 where that cannot be told. Notes the lag in the copy: an abort has nothing else to tell the loss by. */
export async function showPair(loaded: LoadedConfig, programs: PairPrograms, world: Shown): Promise<number> {
  const tell = tellSteps(world);
  const pair = await pairOf(loaded, null, programs, world.signal);
  const served = await servedBy(loaded, world.signal);
  const first = await lookAtPair(pair, world.signal);
  const isTurned = !isLockedCopy(first.own) && isLockedCopy(first.other);
  const asCopied = isTurned ? { ...pair, own: pair.other, other: pair.own } : pair;
  const seen = isTurned ? await turnLook(asCopied, first, world.signal) : first;
  for (const side of [seen.own, seen.other]) tell(side.name, `${inWords(side)}${side.name === served ? '; the gateways use it' : ''}`);
  const judged = judgePair(seen, loaded.config.rpo_seconds);
  if (judged.kind !== 'unknown' && judged.copy !== null) {
    const [from, to] = judged.copy === seen.own.name ? [seen.other, seen.own] : [seen.own, seen.other];
    tell(
      'agents',
      `${agentsOf(from, to) ?? '?'} copy from ${from.name} to ${to.name}, ${agentsOf(to, from) ?? '?'} the other way, which a switch needs`,
    );
  }
  const seconds = seen.lag?.seconds ?? null;
  if (isLockedCopy(seen.own) && seconds !== null && !(await noteSeen(asCopied.own, seen, world.signal)))
    tell('not noted', `the lag could not be noted in ${asCopied.own.name}`);
  tell(judged.kind, judged.why, { primary: judged.primary, copy: judged.copy, lagSeconds: seconds });
  return judged.kind === 'fresh' ? EXIT.ok : judged.kind === 'unknown' ? EXIT.undecided : EXIT.failed;
}

async function servedBy(loaded: LoadedConfig, signal: AbortSignal): Promise<string | null> {
  const controllers = new Controllers(loaded, signal);
  try {
    return await servedCluster(loaded, controllers);
  } finally {
    controllers.close();
  }
}

const isLockedCopy = (side: PairSide): boolean => lockOn(side).kind === 'fdbdr';

function inWords(side: PairSide): string {
  if (side.status === null) return 'does not answer';
  const lock = lockOn(side);
  const locked = {
    none: 'not locked',
    fdbdr: 'locked by fdbdr as a copy',
    foreign: lock.kind === 'foreign' ? lockInWords('it', lock.uid) : '',
    unknown: 'whether it is locked is not told',
  }[lock.kind];
  const state = side.record?.state ?? null;
  return `${serves(side) ? 'serves' : 'does not serve'}, ${locked}${state === null ? '' : `, its last copy: ${state}`}`;
}
