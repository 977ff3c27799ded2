import type { EventBody } from '../history/event.ts';
import { HarnessError } from '../platform/errors.ts';
import type { Platform, RunContext } from '../platform/platform.ts';
import { untilExited } from './until-exited.ts';

const PROGRAM = '/run/pod/bin/coditect-dr';
const SAID_CHARS = 4000;

/** Gives an order of the operator, waits for its end, and records both. All that it printed is in the operator's pod log, its end in the record. Throws HarnessError when aborted. */
export async function giveOrder(
  { platform, context }: { readonly platform: Platform; readonly context: RunContext },
  { args, atMostMs }: { readonly args: readonly string[]; readonly atMostMs: number },
  signal: AbortSignal,
): Promise<void> {
  const pod = platform.pods().find((one) => one.labels.app === 'operator');
  if (pod === undefined) throw new HarnessError('lab-failed', 'the lab has no operator pod');
  const givenMs = context.nowMs();
  const program = platform.runInPod(pod.name, PROGRAM, args);
  let said = '';
  program.onText((line) => (said = `${said}${line}\n`.slice(-SAID_CHARS)));
  const limit = AbortSignal.any([signal, AbortSignal.timeout(atMostMs)]);
  const { code } = await untilExited(program, limit);
  const order: EventBody = { kind: 'order', args, givenMs, endedMs: context.nowMs(), exitCode: limit.aborted ? null : code, said };
  context.record(order);
  signal.throwIfAborted();
}
