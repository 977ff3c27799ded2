import { EXIT } from './world.ts';
import { Controllers } from './controllers.ts';
import type { LoadedConfig } from '../config/load.ts';
import { systemClock } from '../platform/clock.ts';
import type { Shown } from './ordering.ts';

export interface Change {
  readonly what: 'pause' | 'resume' | 'acknowledge';
  readonly by: string;
  readonly why?: string;
  readonly forMs?: number;
}

/** Between looks at whether the leader has seen it. */
const LOOK_EVERY_MS = 50;

/** Has it written into the arbiter, and waits until the leader has seen it: from then on it is in force. */
export async function changeMaintenance(loaded: LoadedConfig, { what, ...body }: Change, world: Shown): Promise<number> {
  const controllers = new Controllers(loaded, world.signal);
  const tell = (result: string, text: string): void =>
    world.out(world.json ? `${JSON.stringify({ result, message: text })}\n` : `${result.padEnd(16)} ${text}\n`);
  try {
    const held = what === 'resume' ? (await controllers.leader())?.answer.paused : undefined;
    const posted =
      held === undefined
        ? await controllers.change(`/v1/${what}`, body)
        : await controllers.endPause({ ...body, of: { why: held.why, since: held.since } });
    if (posted.kind !== 'ok') {
      tell(posted.kind, posted.why);
      return posted.kind === 'undecided' ? EXIT.undecided : EXIT.failed;
    }
    if (what === 'acknowledge') tell('acknowledged', 'the next automatic failover may begin at once');
    else if (await isInForce(controllers, what === 'pause', loaded.config.policy.stepTimeoutMs, world.signal)) {
      if (what === 'pause') tell('paused', 'no failover begins by itself; operators still may order one');
      else
        tell(
          'resumed',
          `failovers begin by themselves again${held === undefined ? '' : `; ended was the pause of ${held.by} (${held.why})`}`,
        );
    } else {
      tell('undecided', `it is written, but no leader has said that it sees it; look at coditect-dr status`);
      return EXIT.undecided;
    }
    return EXIT.ok;
  } finally {
    controllers.close();
  }
}

async function isInForce(controllers: Controllers, paused: boolean, limitMs: number, signal: AbortSignal): Promise<boolean> {
  for (const endMs = systemClock.monotonicMs() + limitMs; systemClock.monotonicMs() < endMs && !signal.aborted;) {
    const leader = await controllers.leader();
    if (leader !== undefined && (leader.answer.paused !== undefined) === paused) return true;
    await systemClock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
  return false;
}
