import { z } from 'zod';
import { EXIT, type World } from './world.ts';
import type { LoadedConfig } from '../config/load.ts';
import { controllerStatusShape, type ControllerStatus } from '../health/controller-status.ts';
import { systemClock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { HttpsClient, parseJson } from '../platform/https-client.ts';
import { loadCredentials } from '../platform/tls.ts';

export interface Order {
  readonly target: string;
  readonly force: boolean;
  readonly acceptDataLossSeconds?: number;
}

const ASK_MS = 1500;
const LOOK_EVERY_MS = 100;
const refusalShape = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** Gives the order to whoever leads, then follows the run to its end, within one step's limit more than the steps may take. */
export async function orderFailover(loaded: LoadedConfig, order: Order, world: World & { readonly json: boolean }): Promise<number> {
  const { config, folder } = loaded;
  if (config.regions[order.target] === undefined) {
    throw new EngineError('bad-request', `--target: ${order.target} is not a region; there are ${Object.keys(config.regions).join(', ')}`);
  }
  const client = new HttpsClient(loadCredentials(config.tls, folder));
  const tell = (step: string, text: string, details: Readonly<Record<string, unknown>> = {}): void =>
    world.out(world.json ? `${JSON.stringify({ step, message: text, ...details })}\n` : `${step.padEnd(16)} ${text}\n`);
  try {
    const controllers = Object.values(config.regions).map(({ controller }) => controller);
    const begun = await giveOrder(controllers, order, client, world.signal);
    if (begun.kind === 'refused') {
      tell('refused', begun.why);
      return begun.undecided ? EXIT.undecided : EXIT.failed;
    }
    tell('accepted', `by ${begun.by}`);
    return await follow(
      { controllers, order, client, tell, limitMs: 3 * config.policy.stepTimeoutMs, since: begun.lastRunId },
      world.signal,
    );
  } finally {
    client.close();
  }
}

type Begun =
  | { readonly kind: 'accepted'; readonly by: string; readonly lastRunId: string | null }
  | { readonly kind: 'refused'; readonly why: string; readonly undecided: boolean };

async function giveOrder(controllers: readonly string[], order: Order, client: HttpsClient, signal: AbortSignal): Promise<Begun> {
  const answers = await askAll(controllers, client, signal);
  const leader = answers.find(({ answer }) => answer.leader === answer.region);
  if (leader === undefined) return { kind: 'refused', why: 'no controller that leads answers; is the arbiter reachable?', undecided: true };
  const body = JSON.stringify(order);
  const result = await client.call(`${leader.url}/v1/failover`, { method: 'POST', body, timeoutMs: ASK_MS, signal });
  if (result.kind !== 'reply')
    return {
      kind: 'refused',
      why: `${leader.answer.region} did not answer (${result.reason}); look at coditect-dr status before you ask again`,
      undecided: true,
    };
  if (result.status === 202) return { kind: 'accepted', by: leader.answer.region, lastRunId: leader.answer.lastFailover?.runId ?? null };
  const refusal = refusalShape.safeParse(parseJson(result.body));
  return { kind: 'refused', why: refusal.success ? refusal.data.error.message : `HTTP ${result.status}`, undecided: false };
}

interface Following {
  readonly controllers: readonly string[];
  readonly order: Order;
  readonly client: HttpsClient;
  readonly tell: (step: string, text: string, details?: Readonly<Record<string, unknown>>) => void;
  readonly limitMs: number;
  /** The run that had ended before: ours is another one. */
  readonly since: string | null;
}

async function follow({ controllers, order, client, tell, limitMs, since }: Following, signal: AbortSignal): Promise<number> {
  const endMs = systemClock.monotonicMs() + limitMs;
  let told = '';
  while (systemClock.monotonicMs() < endMs && !signal.aborted) {
    const answers = (await askAll(controllers, client, signal)).map(({ answer }) => answer);
    const view =
      answers.find((answer) => answer.run !== undefined && answer.region === answer.leader) ??
      answers.find((answer) => answer.run !== undefined);
    const step = view === undefined ? '' : view.step;
    if (step !== '' && step !== told) tell(step, `epoch ${view?.epoch}, ${view?.run?.from} → ${view?.run?.to ?? order.target}`);
    if (step !== '') told = step;
    const ended = answers.find(({ lastFailover }) => lastFailover !== undefined && lastFailover.runId !== since)?.lastFailover;
    if (ended !== undefined) return conclude(ended, order, tell);
    await systemClock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
  tell(
    'undecided',
    signal.aborted ? 'interrupted; the controllers go on' : 'not finished in time; the controllers go on, see coditect-dr status',
  );
  return signal.aborted ? EXIT.interrupted : EXIT.undecided;
}

function conclude(ended: NonNullable<ControllerStatus['lastFailover']>, order: Order, tell: Following['tell']): number {
  const { step, to, epoch, runId } = ended;
  tell(step, step === 'DONE' ? `${to} is the primary under epoch ${epoch}` : 'nothing was changed', { runId });
  return step === 'DONE' && to === order.target ? EXIT.ok : EXIT.failed;
}

async function askAll(
  controllers: readonly string[],
  client: HttpsClient,
  signal: AbortSignal,
): Promise<readonly { readonly url: string; readonly answer: ControllerStatus }[]> {
  const answers = await Promise.all(
    controllers.map(async (url) => {
      const result = await client.call(`${url}/v1/status`, { timeoutMs: ASK_MS, signal });
      const parsed = controllerStatusShape.safeParse(result.kind === 'reply' ? parseJson(result.body) : undefined);
      return parsed.success ? [{ url, answer: parsed.data }] : [];
    }),
  );
  return answers.flat();
}
