import type { Plan, PlanFollowed } from '../foundationdb/follow-plan.ts';
import type { RegionStep } from '../foundationdb/region-plan.ts';
import type { Tell } from './ordering.ts';
import { EXIT } from './world.ts';

export interface Rehearsed<Step> {
  readonly inWords: (step: Step) => string;
  /** Whether the step could be made now; tells what is in the way. */
  readonly mayBegin: (step: Step) => Promise<boolean>;
}

/** `--dry-run`: what one look says is next. */
export async function tellPlan<Step>(plan: Plan<Step>, { inWords, mayBegin }: Rehearsed<Step>, tell: Tell): Promise<number> {
  if (plan.kind === 'do') {
    tell('next', inWords(plan.step));
    return (await mayBegin(plan.step)) ? EXIT.ok : EXIT.failed;
  }
  tell(plan.kind, plan.why);
  return plan.kind === 'done' ? EXIT.ok : EXIT.failed;
}

const ENDS = { done: EXIT.ok, refused: EXIT.failed, undecided: EXIT.undecided } as const;

export function tellEnd({ kind, why }: PlanFollowed, tell: Tell): number {
  tell(
    kind,
    kind === 'undecided' ? `${why}. The same command, given again, goes on; what was begun FoundationDB goes on with by itself` : why,
  );
  return ENDS[kind];
}

export function regionStepInWords(step: RegionStep): string {
  const how = step.unchecked ? ', past the checks of fdbcli, which wants processes of the lost region' : '';
  if (step.kind === 'usable-regions') return `usable_regions=${step.count}${how}`;
  const each = Object.entries(step.priorities).map(([dc, priority]) => `${dc} ${priority}`);
  return `priorities ${each.join(', ')}${how}`;
}
