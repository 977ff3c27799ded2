import type { Fence, FenceChange } from './fence.ts';
import type { Outcome } from './transaction.ts';

/** `moving`: its cluster is being made the primary of its pair; to be asked again. `lacks`: that needs an approval (Hindered). */
export type Refused = { readonly kind: 'epoch-passed' | 'unavailable' | 'moving' | 'lacks'; readonly message: string };
/** `isCopy`: what has come to a copy, which nothing was changed in. */
export type Fenced = { readonly kind: 'fenced'; readonly fence: Fence; readonly isCopy?: boolean } | Refused;
export type Promoted = { readonly kind: 'promoted'; readonly writable: boolean; readonly fence: Fence } | Refused;

/** What a raised fence is answered with. */
export function fencedBy(outcome: Outcome<FenceChange>): Fenced {
  if (outcome.kind !== 'done') return { kind: 'unavailable', message: outcome.message };
  const { kind, fence } = outcome.value;
  return kind === 'passed' ? { kind: 'epoch-passed', message: `epoch ${fence.epoch} is fenced already` } : { kind: 'fenced', fence };
}
