import { isEnd, journalIsOpen, type Journal, type Step } from '../arbiter/arbiter.ts';
import type { Knowledge } from '../failover/knowledge.ts';
import { pauseInForce } from '../failover/maintenance.ts';
import type { SeenStatus, State } from '../failover/state.ts';
import type { ControllerStatus, SystemState } from './controller-status.ts';
import { freshestByRegion, type ReceivedVote } from './vote.ts';

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
  readonly wallMs: number;
}

/** The controller's status document, from what it knows now. */
export function controllerStatus(facts: StatusFacts): ControllerStatus {
  const { knowledge, region } = facts;
  const { lease, leader, failover } = knowledge.records;
  const journal = failover?.value ?? null;
  const reasons = whyNotNormal(facts);
  const summary = journal && summaryOf(journal);
  const pause = pauseInForce(knowledge.records.maintenance, facts.wallMs);
  const awaiting = awaitingOf(facts.machine);
  return {
    region,
    leader: leader?.value.region ?? null,
    leads: facts.leading,
    state: systemState(facts, reasons),
    step: stepOf(facts),
    primary: lease?.value.holder ?? null,
    epoch: lease?.value.epoch ?? 0,
    observers: Object.fromEntries(
      freshestByRegion(facts.votes.values()).map(({ vote, receivedAtMs }) => [
        vote.region,
        { verdict: vote.verdict, ageMs: Math.round(facts.nowMs - receivedAtMs) },
      ]),
    ),
    reasons,
    ...(pause === null ? {} : { paused: { by: pause.by, why: pause.why, since: pause.since, until: pause.until } }),
    ...(awaiting === null ? {} : { awaiting }),
    ...(summary !== null && journalIsOpen(journal) ? { run: summary } : {}),
    ...(summary !== null && journal !== null && !journalIsOpen(journal)
      ? { lastFailover: { ...summary, epoch: journal.epoch, startedAt: journal.startedAt, because: journal.because } }
      : {}),
  };
}

function summaryOf({ runId, tier, from, to, target, step }: Journal): NonNullable<ControllerStatus['run']> {
  return { runId, tier, from, to, target, step };
}

function awaitingOf(machine: State): NonNullable<ControllerStatus['awaiting']> | null {
  const waits = machine.kind === 'run' ? machine.awaiting : machine.kind === 'await-approval' ? machine : null;
  return waits && { blocker: waits.blocker, reason: waits.reason, estimatedLossSeconds: waits.estimatedLossSeconds };
}

/** Steps in which the new primary serves, or the old one still does. */
const SERVING: Readonly<Partial<Record<Step, SystemState | null>>> = { VERIFY_E2E: 'Recovery', STABILISE: 'Recovery', PREPARE: null };

function systemState({ knowledge, machine }: StatusFacts, reasons: readonly string[]): SystemState {
  const journal = knowledge.records.failover?.value ?? null;
  const open = journalIsOpen(journal) ? journal : machine.kind === 'run' && !isEnd(machine.journal.step) ? machine.journal : null;
  const serving = open === null ? null : SERVING[open.step];
  if (open !== null && serving !== null) return serving ?? 'Failover';
  if (reasons.length === 0) return 'Normal';
  // After a failover the redundancy has still to come back; before one something is missing.
  const recovering = journal?.step === 'DONE' && machine.kind === 'observe' && knowledge.records.lease?.value.holder === journal.to;
  return recovering ? 'Recovery' : 'Degraded';
}

function whyNotNormal({ knowledge, machine, databases, regions, freshMs, nowMs }: StatusFacts): readonly string[] {
  const holder = knowledge.records.lease?.value.holder ?? null;
  const reasons: string[] = [];
  const awaiting = awaitingOf(machine);
  if (awaiting !== null) reasons.push(awaiting.reason);
  if (holder === null) return [...reasons, 'no region is primary'];
  if (machine.kind === 'suspect') reasons.push(`${holder} is suspected`);
  for (const region of regions) {
    const seen = databases.get(region);
    if (seen === undefined || nowMs - seen.askedAtMs > freshMs) reasons.push(`the database of ${region} does not answer`);
  }
  const primary = databases.get(holder)?.status;
  if (primary?.role === 'primary') {
    if (!primary.writable) reasons.push(`${holder} does not accept writes`);
    else if (primary.lease?.by === 'standbys')
      reasons.push(`the arbiter does not answer ${holder}: it serves by the promises of all standbys`);
    const missing = regions.filter((region) => region !== holder && primary.standbys[region]?.inSync !== true);
    for (const region of missing) reasons.push(`${region} is not in sync`);
  } else if (primary !== undefined) reasons.push(`${holder} was not seen as primary yet`);
  return reasons;
}

function stepOf({ knowledge, machine }: StatusFacts): string {
  const journal = knowledge.records.failover?.value ?? null;
  if (machine.kind === 'run') return machine.awaiting === null ? machine.journal.step : 'AWAIT_APPROVAL';
  if (journal !== null && journalIsOpen(journal)) return journal.step;
  return { observe: 'OBSERVE', suspect: 'SUSPECT', 'ask-veto': 'GATE', 'await-approval': 'AWAIT_APPROVAL' }[machine.kind];
}
