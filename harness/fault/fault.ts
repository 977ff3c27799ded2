import type { FaultPlanned, FaultTarget } from '../history/event.ts';
import type { Pod, Primitive } from '../platform/platform.ts';
import type { Decoded, YamlDocument } from '../scenario/yaml-decode.ts';

/** A decoded manifest: one Chaos Mesh experiment, checked, nothing selected yet. */
export interface Fault {
  readonly file: string;
  readonly sha256: string;
  readonly kind: string;
  readonly action: string;
  readonly name: string;
  readonly namespace: string;
  readonly mode: string;
  /** Counted from the injection; null: until healed, or a one-shot act to which a duration does not apply. */
  readonly durationMs: number | null;
  /** Host names the manifest speaks of; whoever plans resolves them first (PlanInput.addressesOf). */
  readonly hostNames: readonly string[];
  /** Selects (once, as Chaos Mesh does) and says what to do and what must then be seen. Pure: same input, same plan. */
  plan(input: PlanInput): Planning;
}

export interface PlanInput {
  readonly pods: readonly Pod[];
  /** The run's seed; choices depend on it and on the fault's name only. */
  readonly seed: number;
  /** Every address each of `hostNames` resolved to; a name that is missing or empty did not resolve. */
  readonly addressesOf: Readonly<Record<string, readonly string[]>>;
}

/** `nothing-selected` makes a run inconclusive with this reason; it is not an error of the harness. */
export type Planning =
  | { readonly outcome: 'planned'; readonly plan: FaultPlan }
  | { readonly outcome: 'nothing-selected'; readonly reason: string; readonly notes: readonly string[] };

export interface FaultPlan {
  readonly sources: readonly FaultTarget[];
  readonly targets: readonly FaultTarget[];
  readonly primitives: readonly Primitive[];
  readonly expectedEffect: ExpectedEffect;
  /** Where we differ from Chaos Mesh on purpose, fields without effect, and what chance decided. */
  readonly notes: readonly string[];
}

/** One direction between two pods, in these address families. */
export interface Link {
  readonly from: string;
  readonly to: string;
  readonly families: readonly (4 | 6)[];
}

/** What independent probes must see for the fault to count as applied. */
export type ExpectedEffect =
  | {
      readonly kind: 'links-cut';
      /** Links that must lose everything; every other link must lose nothing. */
      readonly cut: readonly Link[];
      /** Parts of the fault that no probe of the lab can see; each keeps the effect from being confirmed. */
      readonly unobservable: readonly string[];
    }
  | {
      readonly kind: 'processes-gone';
      readonly pods: readonly string[];
      /** What follows: `replaced` a new pod, `restarted` the container, `held` nothing until healed. */
      readonly afterwards: 'replaced' | 'restarted' | 'held';
    };

/** One kind and action of fault. Adding one: a file in kinds/, a line in harness/registry.ts. */
export interface FaultKind {
  readonly kind: string;
  readonly action: string;
  /** Reads `spec` (and nothing else) of a document whose kind and action are these. */
  decode(document: YamlDocument, header: FaultHeader): Decoded<Fault>;
}

/** What all kinds share, read before the kind is asked. */
export interface FaultHeader {
  readonly file: string;
  readonly sha256: string;
  readonly name: string;
  readonly namespace: string;
  readonly notes: readonly string[];
}

/** Deduplicates; the order of first appearance stays. */
export const distinct = <T>(items: readonly T[]): readonly T[] => [...new Set(items)];

/** The record of a plan, before anything has happened. */
export function faultPlanned(fault: Fault, plan: FaultPlan, options: { readonly fault: string; readonly seed: number }): FaultPlanned {
  return {
    kind: 'fault-planned',
    fault: options.fault,
    manifestFile: fault.file,
    manifestSha256: fault.sha256,
    manifestKind: fault.kind,
    action: fault.action,
    mode: fault.mode,
    seed: options.seed,
    sources: plan.sources,
    targets: plan.targets,
    notes: plan.notes,
  };
}
