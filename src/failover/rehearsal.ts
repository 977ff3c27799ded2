import { isEnd, type Journal, type SealedLog } from '../arbiter/arbiter.ts';
import { whyNot } from './orders.ts';
import { isFresh } from './setting.ts';
import type { Announcement, Effect, Event, Facts, OperatorRequest, Setting, State } from './state.ts';
import { transition } from './transition.ts';

export interface RehearsedEffect {
  readonly step: string;
  readonly effect: Effect['kind'];
  readonly details: Readonly<Record<string, unknown>>;
  /** What is taken for its answer. */
  readonly answer: string;
}
export type Rehearsal =
  | { readonly refused: string }
  | {
      readonly effects: readonly RehearsedEffect[];
      readonly said: readonly Announcement[];
      readonly outcome: string;
      readonly to: string | null;
    };

/** Time passes in steps of this while nothing answers. */
const TICK_MS = 50;
const MAX_TURNS = 20_000;

/**
 * Follows an order to its end with the very machine that would follow it, in a world where every database that answers now goes on answering, every other stays silent, and
 * nothing else happens. Pure: nothing is changed, nothing is asked.
 */
export function rehearse(state: State, request: OperatorRequest, facts: Facts, setting: Setting): Rehearsal {
  const refused = whyNot(state, request, facts, setting);
  if (refused !== null) return { refused };
  const effects: RehearsedEffect[] = [];
  const said: Announcement[] = [];
  let world = facts;
  let now = transition(state, { kind: 'operator', request }, world, setting);
  said.push(...now.announce);
  for (let turn = 0; turn < MAX_TURNS && now.state.kind === 'run' && now.state.awaiting === null; turn++) {
    const { journal } = now.state;
    const answered = now.effects.map((effect) => ({ effect, ...answerTo(effect, world, now.state, setting) }));
    const known = new Set(effects.map(({ effect, details }) => `${effect} ${JSON.stringify(details)}`));
    for (const { effect, event } of answered) {
      const { kind, ...details } = effect;
      if (!known.has(`${kind} ${JSON.stringify(details)}`))
        effects.push({ step: journal.step, effect: kind, details, answer: event?.kind ?? 'none' });
    }
    const next = answered.find(({ event }) => event !== null);
    world = next === undefined ? later(world, setting) : next.world;
    now = transition(now.state, next?.event ?? { kind: 'tick' }, world, setting);
    said.push(...now.announce);
  }
  const journal = world.journal?.value ?? null;
  return { effects, said, outcome: outcomeOf(now.state, journal), to: journal?.to ?? null };
}

function outcomeOf(state: State, journal: Journal | null): string {
  if (state.kind === 'run' && state.awaiting !== null) return `AWAIT_APPROVAL: ${state.awaiting.reason}`;
  return journal !== null && isEnd(journal.step) ? journal.step : `stuck in ${journal?.step ?? 'nothing'}`;
}

/** Whoever answers now is taken to go on answering; once somebody was promoted it is seen serving. */
function later(world: Facts, { policy }: Setting): Facts {
  const shifted = [...world.databases].map(([region, seen]) =>
    isFresh(seen, world.nowMs, policy) ? ([region, { ...seen, askedAtMs: seen.askedAtMs + TICK_MS }] as const) : ([region, seen] as const),
  );
  return { ...world, nowMs: world.nowMs + TICK_MS, wallMs: world.wallMs + TICK_MS, databases: new Map(shifted) };
}

function answerTo(effect: Effect, world: Facts, state: State, setting: Setting): { readonly event: Event | null; readonly world: Facts } {
  const same = (event: Event | null): { event: Event | null; world: Facts } => ({ event, world });
  const log = logOf('region' in effect ? effect.region : '', world, setting);
  switch (effect.kind) {
    case 'save-journal': {
      const held = { value: effect.value, revision: (effect.expected ?? 0) + 1 };
      return { event: { kind: 'journal-saved', seq: effect.value.seq, revision: held.revision }, world: { ...world, journal: held } };
    }
    case 'record-history': {
      const history = { value: effect.value, revision: (effect.expected ?? 0) + 1 };
      return { event: { kind: 'history-recorded', runId: effect.run.runId }, world: { ...world, history } };
    }
    case 'acquire-lease': {
      const lease = { lease: effect.value, revision: effect.expected + 1, seenAtMs: world.nowMs };
      const nobody = { kind: 'none', why: 'there is no primary' } as const;
      return { event: { kind: 'tick' }, world: { ...world, lease, replaced: world.lease, quorum: nobody } };
    }
    case 'promote': {
      if (log === null) return same({ kind: 'promote-failed', region: effect.region, why: 'no answer' });
      const { region, request } = effect;
      const value = { epoch: request.epoch, holder: region, incarnation: 'rehearsed', seq: 0 };
      const lease = { lease: value, revision: (world.lease?.revision ?? 0) + 1, seenAtMs: world.nowMs };
      return { event: { kind: 'promoted', region, writable: true }, world: { ...world, lease, quorum: { kind: 'veto', by: region } } };
    }
    case 'freeze-set':
      return same({ kind: 'set-frozen', replication: world.replication?.value ?? null });
    case 'fence':
      return same(log === null ? null : { kind: 'fenced', log });
    case 'catch-up':
      return same(log === null ? null : { kind: 'caught-up', region: effect.region });
    case 'seal':
      return same(log === null ? { kind: 'seal-failed', region: effect.region } : { kind: 'sealed', log: withCaughtUp(log, state) });
    case 'ask-veto':
      return same({ kind: 'veto-answered', runId: effect.question.runId, veto: null });
    case 'lower-ttl':
      return same({ kind: 'ttl-lowered' });
    case 'verify-database':
      return same({ kind: 'database-verified' });
    case 'route':
      return same({ kind: 'routed' });
    case 'verify-end-to-end':
      return same({ kind: 'end-to-end-verified' });
    default:
      throw new RangeError(`effect ${String(effect satisfies never)}`);
  }
}

/** The log end of a database that answers, as it was last seen. */
function logOf(region: string, { databases, nowMs }: Facts, { policy }: Setting): SealedLog | null {
  const seen = databases.get(region);
  if (seen === undefined || !isFresh(seen, nowMs, policy)) return null;
  const { lastEpoch, lastIndex } = seen.status;
  return { region, lastEpoch, lastIndex };
}

function withCaughtUp(log: SealedLog, state: State): SealedLog {
  const fenced = state.kind === 'run' && state.caughtUp && log.region === state.journal.target ? state.fenced : null;
  return fenced === null ? log : { ...fenced, region: log.region };
}
