import { z } from 'zod';
import { EngineError } from '../platform/errors.ts';
import { EXIT, type World } from './world.ts';

const rehearsalShape = z.union([
  z.object({ refused: z.string() }),
  z.object({
    effects: z.array(z.object({ step: z.string(), effect: z.string(), details: z.record(z.string(), z.unknown()), answer: z.string() })),
    outcome: z.string(),
    to: z.string().nullable(),
  }),
]);

/** What a dry run would do: each effect once, with what it is given. Exits 0 where it would end well. @throws EngineError failover-failed where the controller is of another version */
export function showRehearsal(json: unknown, world: World & { readonly json: boolean }): number {
  const rehearsal = rehearsalShape.safeParse(json).data;
  if (rehearsal === undefined)
    throw new EngineError(
      'failover-failed',
      "the controller's rehearsal is not of this version; nothing was done: use the coditect-dr of the controllers",
    );
  if (world.json) world.out(`${JSON.stringify(json)}\n`);
  if ('refused' in rehearsal) {
    if (!world.json) world.out(`refused          ${rehearsal.refused}\n`);
    return EXIT.failed;
  }
  const { effects, outcome, to } = rehearsal;
  if (!world.json) {
    for (const { step, effect, details } of effects) world.out(`${step.padEnd(16)} ${effect} ${brief(details)}\n`);
    world.out(`${outcome.padEnd(16)} ${to ?? 'nobody'} would be the primary; nothing was done\n`);
  }
  return outcome === 'DONE' ? EXIT.ok : EXIT.failed;
}

/** Records are long: of what is written into the arbiter, only what tells one write from another. */
function brief(details: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(details).map(([name, value]) => {
    if (typeof value !== 'object' || value === null) return `${name}=${String(value)}`;
    const { step, epoch, holder, set, mode, w, lastIndex, outcome } = value as Readonly<Record<string, unknown>>;
    const told = Object.entries({ step, epoch, holder, mode, w, set, lastIndex, outcome }).filter(([, each]) => each !== undefined);
    return `${name}={${told.map(([key, each]) => `${key}=${String(each)}`).join(' ')}}`;
  });
  return parts.join(' ');
}
