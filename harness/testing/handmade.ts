import { OWN_ENGINE, type EventBody, type OperationCompleted, type RunEvent } from '../history/event.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { phaseOf } from '../scenario/phase-of.ts';
import { operationPlan } from '../workload/plan.ts';
import { partitionEvents } from './handmade-fault.ts';

/**
 * Handmade histories: a model of a system that answers the real sequence of operations in virtual time, so that a test can say exactly
 * what went wrong. Nothing runs; there are no clocks.
 */
export interface Handmade {
  readonly scenario: Scenario;
  readonly vantages: readonly string[];
  readonly loadEndMs: number;
  /** null leaves out the fault. */
  readonly fault: { readonly t0Ms: number; readonly t1Ms: readonly [number, number]; readonly healedMs: number } | null;
  answer(operation: Asked): Answered;
  /** Last touches to the copy that every region gives back. */
  copy(store: Map<string, string>): void;
  /** Last touches to the record. */
  edit(events: readonly RunEvent[]): readonly RunEvent[];
}

export interface Asked {
  readonly vantage: string;
  readonly seq: number;
  readonly op: 'put' | 'get' | 'delete';
  readonly key: string;
  readonly intendedMs: number;
}

export interface Answered {
  readonly outcome: 'ok' | 'failed' | 'unknown';
  readonly latencyMs: number;
  readonly region: string;
  readonly epoch: number;
  /** Whether the write takes effect; by default when it is acknowledged. */
  readonly applied?: boolean;
  /** get: what to answer instead of the stored value. */
  readonly read?: string | null;
}

export const REGIONS = ['us-central1', 'us-east1', 'europe-west1'] as const;
export const ADDRESS: Readonly<Record<string, string>> = {
  'us-central1': '10.77.1.10',
  'us-east1': '10.77.2.10',
  'europe-west1': '10.77.3.10',
};

export const SCENARIO: Scenario = {
  name: 'region-isolation',
  question: 'Does it come back?',
  sets: ['default'],
  platform: 'local',
  replication: 'sync',
  policy: 'lab',
  controllersPerRegion: 1,
  seed: 1,
  workload: { periodMs: 20, timeoutMs: 1000, goodWithinMs: 250, sustained: { operations: 10, forMs: 200 } },
  steadyMs: 1000,
  method: [
    { do: 'inject', fault: 'isolation', manifest: 'isolation.yaml' },
    { do: 'await-recovery', atMostMs: 5000 },
    { do: 'heal', fault: 'isolation' },
  ],
  settleMs: 1000,
  expect: { failover: 'one', outage: 'expected', loss: 'none', mustRecover: ['us-east1', 'outside'] },
  targets: { recoveryTimeMs: 3000, recoveryPointMs: 0, lostWrites: 0, writePauseMs: null },
};

/** A system that is cut off at 2 s and serves from us-east1 from 4 s on. */
export function failoverHistory(change: Partial<Handmade> = {}): readonly RunEvent[] {
  return play({
    scenario: SCENARIO,
    vantages: ['us-east1', 'outside'],
    loadEndMs: 7000,
    fault: { t0Ms: 2000, t1Ms: [2002, 2006], healedMs: 6000 },
    answer: failover,
    copy: () => undefined,
    edit: (events) => events,
    ...change,
  });
}

/** Answers of a system that fails over correctly. */
export function failover({ intendedMs }: Asked): Answered {
  if (intendedMs < 2000) return { outcome: 'ok', latencyMs: 5, region: 'us-central1', epoch: 1 };
  if (intendedMs < 4000) return { outcome: 'failed', latencyMs: 300, region: 'us-central1', epoch: 1 };
  return { outcome: 'ok', latencyMs: 6, region: 'us-east1', epoch: 2 };
}

/** A system that always serves, and nothing happens to it. */
export function nullHistory(change: Partial<Handmade> = {}): readonly RunEvent[] {
  const scenario: Scenario = {
    ...SCENARIO,
    name: 'null',
    method: [{ do: 'observe', forMs: 3000 }],
    expect: { failover: 'none', outage: 'none', loss: 'none', mustRecover: ['us-east1', 'outside'] },
    targets: { recoveryTimeMs: null, recoveryPointMs: 0, lostWrites: 0, writePauseMs: null },
  };
  return failoverHistory({
    scenario,
    fault: null,
    answer: () => ({ outcome: 'ok', latencyMs: 5, region: 'us-central1', epoch: 1 }),
    ...change,
  });
}

/** What was written by an instant: each write of the handmade system takes effect when it is answered. */
export function stateAt(events: readonly RunEvent[], atMs: number): Map<string, string> {
  const store = new Map<string, string>();
  for (const event of events) {
    if (event.kind !== 'op' || event.outcome !== 'ok' || event.completedMs > atMs) continue;
    if (event.op === 'put' && event.value !== null) store.set(event.key, event.value);
    if (event.op === 'delete') store.delete(event.key);
  }
  return store;
}

export function play(system: Handmade): readonly RunEvent[] {
  const store = new Map<string, string>();
  const operations = playOperations(system, store);
  system.copy(store);
  const body = [
    ...head(system),
    ...methodPhases(system),
    ...operations,
    ...(system.fault === null ? [] : faultEvents(system, system.fault)),
    ...finished(system, operations),
    ...tail(system, store),
  ];
  return system.edit(body.toSorted((a, b) => a.atMs - b.atMs));
}

export function at(atMs: number, body: EventBody): RunEvent {
  return { atMs, wall: new Date(1_700_000_000_000 + atMs).toISOString(), ...body };
}

function playOperations(system: Handmade, store: Map<string, string>): RunEvent[] {
  const plans = system.vantages.map((vantage, index) => ({ vantage, offsetMs: index * 3, plan: operationPlan(vantage, system.vantages) }));
  const asked: (Asked & { readonly value: string | null })[] = [];
  for (let tickMs = 500; tickMs <= system.loadEndMs; tickMs += system.scenario.workload.periodMs) {
    for (const { vantage, offsetMs, plan } of plans) {
      for (const operation of plan.next()) asked.push({ ...operation, vantage, intendedMs: tickMs + offsetMs });
    }
  }
  // Each takes effect when it completes; the order of completion is the order of the model's log.
  const answered = asked.map((one) => ({ one, answer: system.answer(one) }));
  return answered
    .toSorted((a, b) => a.one.intendedMs + a.answer.latencyMs - (b.one.intendedMs + b.answer.latencyMs))
    .map(({ one, answer }) => at(one.intendedMs + answer.latencyMs, perform(one, answer, store)));
}

function perform(one: Asked & { readonly value: string | null }, answer: Answered, store: Map<string, string>): OperationCompleted {
  const { vantage, seq, op, key, intendedMs } = one;
  const stored = store.get(key) ?? null;
  if (answer.applied ?? answer.outcome === 'ok') {
    if (op === 'put' && one.value !== null) store.set(key, one.value);
    if (op === 'delete') store.delete(key);
  }
  const value = op === 'get' ? (answer.outcome === 'ok' ? (answer.read === undefined ? stored : answer.read) : null) : one.value;
  const completedMs = intendedMs + answer.latencyMs;
  const address = ADDRESS[answer.region] ?? '10.77.9.9';
  const claims = answer.outcome === 'ok' ? { claimedRegion: answer.region, claimedEpoch: answer.epoch } : { reason: 'timeout-connecting' };
  return { kind: 'op', vantage, seq, op, key, value, intendedMs, completedMs, outcome: answer.outcome, dnsMs: 1, address, ...claims };
}

function head({ scenario, vantages }: Handmade): readonly RunEvent[] {
  const started: EventBody = {
    kind: 'run-started',
    schema: 1,
    runId: 'handmade',
    originNs: '0',
    scenario,
    scenarioFile: 'scenarios/handmade.yaml',
    seed: 1,
    platform: 'local',
    machine: { kernel: '6.1', cpus: 2, node: 'v24', user: 'root' },
    versions: { engine: OWN_ENGINE, revision: 'c0ffee' },
    regionOfAddress: Object.fromEntries(Object.entries(ADDRESS).map(([region, address]) => [address, region])),
    vantages,
  };
  return [at(0, started), at(1, { kind: 'phase', phase: 'setup' }), at(1000, { kind: 'phase', phase: 'steady' })];
}

/** Each step of the method takes a millisecond, unless it lasts by itself. */
function methodPhases({ scenario, fault, loadEndMs }: Handmade): readonly RunEvent[] {
  let atMs = fault?.t0Ms ?? 2000;
  const phases = scenario.method.flatMap((step): readonly RunEvent[] => {
    const phase = phaseOf(step);
    if (phase === null) return [];
    if (step.do === 'heal') atMs = Math.max(atMs, fault?.healedMs ?? 0);
    const begun = at(atMs, { kind: 'phase', phase });
    atMs += step.do === 'observe' ? step.forMs : 1;
    return [begun];
  });
  const settleMs = Math.max(atMs + 1, loadEndMs - 500);
  return [
    ...phases,
    at(Math.min(settleMs - 1, Math.max(atMs, (fault?.healedMs ?? 0) + 100)), { kind: 'phase', phase: 'heal' }),
    at(settleMs, { kind: 'phase', phase: 'settle' }),
  ];
}

function faultEvents({ scenario }: Handmade, fault: NonNullable<Handmade['fault']>): readonly RunEvent[] {
  const { method } = scenario;
  const step = method.find((one) => one.do === 'inject') ?? method.find((one) => one.do === 'arm');
  return partitionEvents({ fault: step?.fault ?? 'fault', ...fault });
}

function finished({ vantages, loadEndMs }: Handmade, operations: readonly RunEvent[]): readonly RunEvent[] {
  const issued = Map.groupBy(operations, (event) => (event.kind === 'op' ? event.vantage : ''));
  const lastMs = Math.max(loadEndMs + 1190, ...operations.map(({ atMs }) => atMs));
  return vantages.map((vantage) => at(lastMs, { kind: 'client-finished', vantage, issued: issued.get(vantage)?.length ?? 0 }));
}

function tail({ scenario, loadEndMs }: Handmade, store: ReadonlyMap<string, string>): readonly RunEvent[] {
  const endMs = loadEndMs + 1200;
  const entries = Object.fromEntries([...store].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const moved = scenario.expect.failover === 'one';
  const log = { kind: 'engine-log', pod: 'dr-controller-us-east1', action: 'failover_complete', line: { correlation_id: 'f1' } } as const;
  return [
    ...(moved ? [at(4100, log)] : []),
    at(endMs, { kind: 'redundancy-restored' }),
    at(endMs + 1, { kind: 'phase', phase: 'readback' }),
    ...REGIONS.map((region, index) => at(endMs + 2 + index, { kind: 'readback', region, ok: true, role: 'standby', epoch: 2, entries })),
    at(endMs + 9, { kind: 'phase', phase: 'teardown' }),
    at(endMs + 10, { kind: 'run-ended', leftovers: [] }),
  ];
}
