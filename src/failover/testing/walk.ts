import type { Replication } from '../../arbiter/arbiter.ts';
import { PRESETS } from '../../config/policy.ts';
import type { DatabaseStatus } from '../../server/control-messages.ts';
import { whyNot } from '../orders.ts';
import type { Effect, Event, Facts, OperatorRequest, Run, SeenStatus, Setting, State } from '../state.ts';
import { INITIAL, transition } from '../transition.ts';

export const policy = PRESETS.lab;
export const NOW = 100_000;
export const [CENTRAL, EAST, EUROPE] = ['us-central1', 'us-east1', 'europe-west1'] as const;
export const setting: Setting = {
  policy,
  region: EUROPE,
  incarnation: 'me',
  regions: [CENTRAL, EAST, EUROPE],
  primaryRegion: CENTRAL,
  promotable: [CENTRAL, EAST, EUROPE],
  replication: 'sync',
  rpoMs: 5000,
  vetoProgram: false,
};

export function seen(region: string, change: Partial<DatabaseStatus> = {}, askedAtMs = NOW): [string, SeenStatus] {
  const log = { lastIndex: 50, lastEpoch: 1, commitIndex: 50, appliedIndex: 50 };
  const rest = {
    role: 'standby' as const,
    epoch: 1,
    sealedEpoch: 1,
    writable: false,
    lease: null,
    mode: 'sync' as const,
    syncSet: [],
    w: 1,
  };
  return [region, { status: { region, incarnation: 'p', ...log, ...rest, standbys: {}, ...change }, askedAtMs }];
}
export const standby = (lagEntries = 0, lagMs = 0, inSync = true) => ({ matchIndex: 50, lagEntries, lagMs, ageMs: 5, inSync });
export const serving = (standbys: DatabaseStatus['standbys'] = { [EAST]: standby(), [EUROPE]: standby() }): [string, SeenStatus] =>
  seen(CENTRAL, { role: 'primary', writable: true, standbys });

export function facts(change: Partial<Facts> = {}): Facts {
  const replication: Replication = { epoch: 1, mode: 'sync', set: [EAST, EUROPE], w: 1 };
  return {
    nowMs: NOW,
    wallMs: 5_000_000,
    lease: { lease: { epoch: 1, holder: CENTRAL, incarnation: 'p', seq: 3 }, revision: 7, seenAtMs: NOW },
    replaced: null,
    replication: { value: replication, revision: 2 },
    journal: null,
    maintenance: null,
    history: null,
    inSyncSinceMs: new Map(),
    quorum: { kind: 'veto', by: EUROPE },
    vetoedAtMs: null,
    gateShutAtMs: null,
    waitingAtMs: new Map(),
    arbiter: { news: { heardAtMs: Infinity, backAtMs: null }, answers: null },
    databases: new Map([serving(), seen(EAST), seen(EUROPE)]),
    newRunId: 'run',
    ...change,
  };
}
export const SWITCH: OperatorRequest = { kind: 'switchover', target: EAST, by: 'anna' };
export const refusal = (request: OperatorRequest, given: Partial<Facts> = {}, state: State = INITIAL) =>
  whyNot(state, request, facts(given), setting);
export const pending = (seenAtMs = NOW) => ({ lease: { epoch: 2, holder: null, incarnation: 'run', seq: 7 }, revision: 8, seenAtMs });
export const kinds = (effects: readonly Effect[]) => effects.map(({ kind }) => kind);

/** The machine with an operator in front of it: events one after the other, the journal saved as it asks. */
export class Walk {
  state: State = INITIAL;
  effects: readonly Effect[] = [];
  said: string[] = [];
  facts: Facts;
  constructor(given: Partial<Facts> = {}) {
    this.facts = facts(given);
  }
  get run(): Run {
    if (this.state.kind !== 'run') throw new Error(`no run: ${this.state.kind}`);
    return this.state;
  }
  tell(event: Event, change: Partial<Facts> = {}): this {
    this.facts = { ...this.facts, ...change };
    const { state, effects, announce } = transition(this.state, event, this.facts, setting);
    [this.state, this.effects] = [state, effects];
    this.said.push(...announce.map(({ action }) => action));
    return this;
  }
  tick(change: Partial<Facts> = {}): this {
    return this.tell({ kind: 'tick' }, change);
  }
  /** Carries out whatever has to be in the arbiter before anything else may happen. */
  saved(): this {
    for (let i = 0; i < 5; i++) {
      const [effect] = this.effects;
      if (effect?.kind === 'record-history') {
        this.tell({ kind: 'history-recorded', runId: effect.run.runId }, { history: { value: effect.value, revision: 1 } });
      } else if (effect?.kind === 'save-journal') {
        const journal = { value: effect.value, revision: effect.value.seq + 20 };
        this.tell({ kind: 'journal-saved', seq: effect.value.seq, revision: journal.revision }, { journal });
      }
    }
    return this;
  }
  /** Up to FENCE_AND_SEAL, the set frozen. */
  acquired(): this {
    this.tell({ kind: 'operator', request: SWITCH }).saved().tell({ kind: 'ttl-lowered' }).saved();
    const nobody = { kind: 'none', why: '' } as const;
    const replaced = this.facts.lease;
    return this.tick({ lease: pending(), replaced, quorum: nobody }).saved().tell({ kind: 'set-frozen', replication: null });
  }
  after(ms: number): this {
    return this.tick({ nowMs: this.facts.nowMs + ms, wallMs: this.facts.wallMs + ms });
  }
}
export const log = (region: string, lastIndex = 60, lastEpoch = 1) => ({ region, lastEpoch, lastIndex });
