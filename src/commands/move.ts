import { z } from 'zod';
import { EXIT } from './world.ts';
import { Controllers } from './controllers.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { ControllerStatus } from '../health/controller-status.ts';
import { systemClock } from '../platform/clock.ts';
import { needRegion, tellSteps, type Shown, type Tell } from './ordering.ts';
import { showRehearsal } from './rehearsal.ts';

export interface Move {
  readonly order: 'switchover' | 'failback' | 'failover' | 'approve';
  readonly target?: string;
  readonly force?: true;
  readonly acceptDataLossSeconds?: number | 'any';
  readonly dryRun?: true;
  readonly by: string;
}

const LOOK_EVERY_MS = 100;
const acceptedShape = z.object({ runId: z.string().nullable() });

/** Gives the order to whoever leads, then follows the run to its end, within one step's limit more than the steps may take. */
export async function orderMove(loaded: LoadedConfig, { order, ...body }: Move, world: Shown): Promise<number> {
  const { config } = loaded;
  if (body.target !== undefined) needRegion(config, '--target', body.target);
  const tell = tellSteps(world);
  const controllers = new Controllers(loaded, world.signal);
  try {
    const posted = await controllers.order(`/v1/${order}`, body);
    if (posted.kind !== 'ok') {
      tell('refused', posted.why);
      return posted.kind === 'undecided' ? EXIT.undecided : EXIT.failed;
    }
    if (body.dryRun === true) return showRehearsal(posted.json, world);
    const runId = acceptedShape.safeParse(posted.json).data?.runId ?? null;
    tell('accepted', `by ${posted.by}`, { runId });
    const target = order === 'failback' ? config.primary_region : (body.target ?? null);
    return await follow(
      { controllers, target, tell, runId, limitMs: config.policy.prepareMs + 3 * config.policy.stepTimeoutMs },
      world.signal,
    );
  } finally {
    controllers.close();
  }
}

interface Following {
  readonly controllers: Controllers;
  /** Null: whoever is promoted. */
  readonly target: string | null;
  readonly tell: Tell;
  readonly runId: string | null;
  readonly limitMs: number;
}

async function follow({ controllers, target, tell, runId, limitMs }: Following, signal: AbortSignal): Promise<number> {
  const endMs = systemClock.monotonicMs() + limitMs;
  let told = '';
  while (systemClock.monotonicMs() < endMs && !signal.aborted) {
    const answers = (await controllers.status()).map(({ answer }) => answer);
    const view = answers.find(({ leads, run }) => leads && run?.runId === runId) ?? answers.find(({ run }) => run?.runId === runId);
    const news = view === undefined ? '' : `${view.step} ${view.awaiting?.reason ?? ''}`;
    if (view?.run !== undefined && news !== told) {
      const { from, to } = view.run;
      tell(
        view.step,
        `epoch ${view.epoch}, ${from} → ${to ?? target ?? '?'}${view.awaiting === undefined ? '' : `: ${view.awaiting.reason}`}`,
      );
    }
    if (news !== '') told = news;
    const ended = answers.find(({ lastFailover }) => lastFailover?.runId === runId)?.lastFailover;
    if (ended !== undefined) return conclude(ended, target, tell);
    await systemClock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
  const why = signal.aborted ? 'interrupted' : 'not finished in time';
  tell('undecided', `${why}; the controllers go on, see coditect-dr status`, { runId });
  return signal.aborted ? EXIT.interrupted : EXIT.undecided;
}

function conclude(ended: NonNullable<ControllerStatus['lastFailover']>, target: string | null, tell: Tell): number {
  const { step, to, epoch, runId, from, because } = ended;
  const why = because === null ? '' : ` (${because})`;
  const text = {
    DONE: `${to} is the primary under epoch ${epoch}${why}`,
    UNDONE: `${from} goes on as the primary under epoch ${epoch}${why}`,
    ABORTED: `nothing was changed${why}`,
  }[step];
  tell(step, text ?? why, { runId });
  return step === 'DONE' && (target === null || to === target) ? EXIT.ok : EXIT.failed;
}
