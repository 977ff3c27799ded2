import { journalIsOpen } from '../arbiter/arbiter.ts';
import type { Knowledge } from '../failover/knowledge.ts';
import type { SeenStatus, State } from '../failover/state.ts';
import type { ControllerStatus, SystemState } from './controller-status.ts';
import type { ReceivedVote } from './vote.ts';

export interface StatusFacts {
  readonly region: string;
  readonly regions: readonly string[];
  readonly leading: boolean;
  readonly knowledge: Knowledge;
  /** The leader's machine; on another controller it stays at OBSERVE. */
  readonly machine: State;
  readonly votes: ReadonlyMap<string, ReceivedVote>;
  readonly databases: ReadonlyMap<string, SeenStatus>;
  /** How old an answer may be to count. */
  readonly freshMs: number;
  readonly nowMs: number;
}

/** The controller's status document, from what it knows now. */
export function controllerStatus(facts: StatusFacts): ControllerStatus {
  const { knowledge, region } = facts;
  const { lease, leader, failover } = knowledge.records;
  const journal = failover?.value ?? null;
  const reasons = whyNotNormal(facts);
  const summary = journal && { runId: journal.runId, from: journal.from, to: journal.to, step: journal.step };
  return {
    region,
    leader: leader?.value.region ?? null,
    state: systemState(facts, reasons),
    step: stepOf(facts),
    primary: lease?.value.holder ?? null,
    epoch: lease?.value.epoch ?? 0,
    observers: Object.fromEntries(
      [...facts.votes.values()].map(({ vote, receivedAtMs }) => [
        vote.region,
        { verdict: vote.verdict, ageMs: Math.round(facts.nowMs - receivedAtMs) },
      ]),
    ),
    reasons,
    ...(summary !== null && journalIsOpen(journal) ? { run: summary } : {}),
    ...(summary !== null && journal !== null && !journalIsOpen(journal)
      ? { lastFailover: { ...summary, epoch: journal.epoch, startedAt: journal.startedAt } }
      : {}),
  };
}

function systemState({ knowledge, machine }: StatusFacts, reasons: readonly string[]): SystemState {
  const journal = knowledge.records.failover?.value ?? null;
  if (journal !== null && journalIsOpen(journal)) return journal.step === 'VERIFY_E2E' ? 'Recovery' : 'Failover';
  if (machine.kind === 'run') return 'Failover';
  if (reasons.length === 0) return 'Normal';
  // After a failover the redundancy has still to come back; before one something is missing.
  const recovering = journal?.step === 'DONE' && machine.kind === 'observe' && knowledge.records.lease?.value.holder === journal.to;
  return recovering ? 'Recovery' : 'Degraded';
}

function whyNotNormal({ knowledge, machine, databases, regions, freshMs, nowMs }: StatusFacts): readonly string[] {
  const holder = knowledge.records.lease?.value.holder ?? null;
  if (holder === null) return ['no region is primary'];
  const reasons: string[] = [];
  if (machine.kind === 'await-approval') reasons.push(machine.reason);
  if (machine.kind === 'suspect') reasons.push(`${holder} is suspected`);
  for (const region of regions) {
    const seen = databases.get(region);
    if (seen === undefined || nowMs - seen.askedAtMs > freshMs) reasons.push(`the database of ${region} does not answer`);
  }
  const primary = databases.get(holder)?.status;
  if (primary?.role === 'primary') {
    if (!primary.writable) reasons.push(`${holder} does not accept writes`);
    const missing = regions.filter((region) => region !== holder && primary.standbys[region]?.inSync !== true);
    for (const region of missing) reasons.push(`${region} is not in sync`);
  }
  return reasons;
}

function stepOf({ knowledge, machine }: StatusFacts): string {
  const journal = knowledge.records.failover?.value ?? null;
  if (machine.kind === 'run') return machine.awaiting === null ? machine.journal.step : 'AWAIT_APPROVAL';
  if (journal !== null && journalIsOpen(journal)) return journal.step;
  return { observe: 'OBSERVE', suspect: 'SUSPECT', 'await-approval': 'AWAIT_APPROVAL' }[machine.kind];
}
