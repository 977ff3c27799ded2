import type { z } from 'zod';
import type { ExpectedEffect, FaultPlanned, FaultTarget } from '../history/event.ts';
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
  /** The document as it was written: what a cluster is given. */
  readonly document: unknown;
  readonly mode: string;
  /** Acts once and is over: its pods come back by themselves, and a duration does not apply to it. */
  readonly oneShot: boolean;
  /** Counted from the injection; null: until healed. */
  readonly durationMs: number | null;
  /** Only a cluster can be given it, as it is written: the harness knows whom it hits and no effect of it. */
  readonly opaque?: true;
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

/** One kind and action of fault. Adding one: a file in kinds/, a line in harness/registry.ts. */
export interface FaultKind {
  readonly kind: string;
  /** Empty: the kind has no `action`. */
  readonly action: string;
  /** Of `spec`: what the cluster without containers knows the kind by. */
  readonly schema: z.ZodType;
  /** Which documents of this kind and action are its own, before any that takes all; left out: all. */
  readonly takes?: (spec: Readonly<Record<string, unknown>>) => boolean;
  /** Reads `spec` (and nothing else) of a document whose kind and action are these. */
  decode(document: YamlDocument, header: FaultHeader): Decoded<Fault>;
}

/** What all kinds share, read before the kind is asked. */
export interface FaultHeader {
  readonly file: string;
  readonly sha256: string;
  readonly name: string;
  readonly namespace: string;
  readonly document: unknown;
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
    durationMs: fault.durationMs,
    seed: options.seed,
    sources: plan.sources,
    targets: plan.targets,
    expected: plan.expectedEffect,
    notes: plan.notes,
  };
}

/**
 * What an experiment is called in events, checks and reports: the step's name where it is the only one, else with its kind and name, as two
 * kinds may share a name, and with its namespace where two experiments of one kind share theirs.
 */
export function experimentName(step: string, one: Fault, all: readonly Fault[]): string {
  if (all.length === 1) return step;
  const namesake = all.some((other) => other !== one && other.kind === one.kind && other.name === one.name);
  return `${step}:${one.kind}/${namesake ? `${one.namespace}/` : ''}${one.name}`;
}
