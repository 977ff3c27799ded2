import type { Finding, RunResult, VerdictOutcome } from '../check/verdict.ts';
import { OWN_ENGINE, type EventBody, type RunEvent } from '../history/event.ts';
import type { AvailabilitySecond, Measurement, RecoveryTime, VantageMeasurement, WriteRef } from '../measure/measurement.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** A judged run made up for tests of the reports: us-central1 is cut off at 10.0 s and us-east1 serves from 12.4 s. */
export interface SampleOptions {
  readonly name?: string;
  readonly reason?: string;
  readonly outcome?: VerdictOutcome;
  readonly lost?: number;
  readonly recovery?: RecoveryTime;
  readonly fault?: boolean;
}

const REGIONS = ['us-central1', 'us-east1', 'europe-west1'];
const VANTAGES = [...REGIONS, 'outside'].map((region) => `client-${region}`);
const EFFECT_MS = 10_012;
const BACK_MS = 12_447;
const HEALED_MS = 22_010;
const END_S = 34;

const RECOVERED: RecoveryTime = {
  state: 'recovered',
  lowerMs: 2412,
  upperMs: 2461,
  vantage: 'client-outside',
  fault: 'isolate-primary',
  line: 2204,
  dnsShareMs: 830,
  servedFrom: { lowerMs: 2971, upperMs: 2996 },
  firstOperationMs: 9,
  clientAwayMs: 0,
};

export function sampleRun(options: SampleOptions = {}): RunResult {
  const scenario = sampleScenario(options.name ?? 'region-isolation');
  const recovery = options.recovery ?? (options.fault === false ? { state: 'no-outage' } : RECOVERED);
  return {
    runId: '2026-11-22T18-10-00-region-isolation',
    startedWall: '2026-11-22T18:10:00.000Z',
    scenario,
    scenarioFile: 'scenarios/region-isolation.yaml',
    measurement: sampleMeasurement(recovery, options),
    verdict: {
      outcome: options.outcome ?? 'pass',
      reason: options.reason ?? 'Service was back within 2.46 s (objective 10 s) and no acknowledged write was lost.',
      findings: sampleFindings(options),
    },
    events: sampleEvents(scenario, options),
  };
}

function sampleScenario(name: string): Scenario {
  return {
    name,
    question: 'When the primary region is cut off from everything, does another region take over in time and without loss?',
    sets: ['default'],
    platform: 'local',
    replication: 'sync',
    policy: 'lab',
    controllersPerRegion: 1,
    seed: 42,
    workload: { periodMs: 20, timeoutMs: 1000, goodWithinMs: 250, sustained: { operations: 10, forMs: 1000 } },
    steadyMs: 8000,
    method: [],
    settleMs: 10_000,
    expect: {
      failover: 'one',
      outage: 'expected',
      loss: 'none',
      mustRecover: ['client-us-east1', 'client-europe-west1', 'client-outside'],
    },
    targets: { recoveryTimeMs: 10_000, recoveryPointMs: 0, lostWrites: 0, writePauseMs: null },
  };
}

function sampleFindings({ lost = 0, outcome = 'pass' }: SampleOptions): readonly Finding[] {
  const finding = (check: string, message: string, result: Finding['outcome'] = 'pass', evidence: readonly number[] = []): Finding => ({
    check,
    outcome: result,
    message,
    evidence,
  });
  return [
    finding('steady-before', 'All 4 vantages were served for 8 s before the fault.', 'pass', [12, 904]),
    finding(
      'fault-effective',
      'The partition cut what the manifest names: 42 of 42 directed links, and nothing else.',
      'pass',
      [1001, 1003],
    ),
    finding(
      'recovery-time',
      'Back after 2.41–2.46 s at the worst vantage, objective 10 s.',
      outcome === 'fail' && lost === 0 ? 'fail' : 'pass',
      [2204],
    ),
    finding(
      'lost-writes',
      lost === 0 ? 'No acknowledged write is missing.' : `${lost} acknowledged writes are missing.`,
      lost === 0 ? 'pass' : 'fail',
      [1500],
    ),
    finding('recovery-point', lost === 0 ? 'Nothing lost: 0 ms.' : '182 ms of writes lost, objective 0 ms.', lost === 0 ? 'pass' : 'fail'),
    finding('split-brain', 'Never two regions acknowledging at once.', 'pass', [2100, 2204]),
    finding('stale-reads', 'The scenario does not ask for this.', 'skipped'),
    finding('probe-rate', '3 of 6 800 operations started more than 5 ms late.', 'warn'),
    finding('clean-up', 'Nothing was left behind.', outcome === 'inconclusive' ? 'inconclusive' : 'pass', [9002]),
  ];
}

function sampleMeasurement(recovery: RecoveryTime, { lost = 0, fault = true }: SampleOptions): Measurement {
  const writes = Array.from({ length: lost }, (_, index) => sampleWrite(index));
  return {
    faults: fault ? [sampleTimeline()] : [],
    vantages: VANTAGES.map((vantage) => sampleVantage(vantage, recovery, fault)),
    recovery,
    verifiedRecovery: recovery.state === 'recovered' ? { lowerMs: 23_100, upperMs: 23_149 } : null,
    writePause: { vantage: 'client-outside', fromMs: 10_001, toMs: BACK_MS, pauseMs: BACK_MS - 10_001 },
    brownOuts: [],
    writes: {
      issued: 6800,
      acknowledged: 6412,
      failed: 371,
      unknown: 17,
      readBackRegion: 'us-east1',
      lost: writes,
      holes: [],
      resurrected: [],
      phantoms: [],
      foreign: [],
      unsaved: [],
      recoveryPointMs: lost === 0 ? 0 : 182,
      lostFromStart: false,
    },
    reads: { reads: 3400, stale: [] },
    reigns: {
      reigns: [
        { region: 'us-central1', firstAckMs: 1204, lastAckMs: 9998, acknowledgements: 3100, claimedEpoch: 1, line: 20 },
        { region: 'us-east1', firstAckMs: BACK_MS, lastAckMs: 33_020, acknowledgements: 3312, claimedEpoch: 2, line: 2204 },
      ],
      changes: 1,
      splitBrain: [],
    },
    replicas: { read: REGIONS.map((region) => ({ region, ok: true, entries: 6412 - lost, line: 9000 })), differences: [] },
    availability: VANTAGES.flatMap((vantage) => sampleAvailability(vantage, fault)),
    lag: REGIONS.flatMap((region, index) =>
      Array.from({ length: END_S - 2 }, (_, at) => ({ second: at + 1, region, lagMs: sampleLag(index, at + 1, fault) })),
    ),
  };
}

const sampleLag = (index: number, second: number, fault: boolean): number => {
  if (index === 0) return fault && second >= 10 && second < 24 ? (second - 9) * 900 : 0;
  return 3 + ((second * 7 + index * 3) % 9);
};

function sampleTimeline(): Measurement['faults'][number] {
  return {
    fault: 'isolate-primary',
    manifestKind: 'NetworkChaos',
    action: 'partition',
    t0InjectCalledMs: 10_000,
    t1EffectMs: { lowerMs: 10_005, upperMs: 10_019 },
    t2FirstBadMs: 10_021,
    t3DetectedMs: 10_640,
    t4DecidedMs: 10_960,
    t5WritableMs: 11_617,
    t6FirstGoodMs: BACK_MS,
    t7SustainedMs: BACK_MS,
    t8VerifiedMs: 33_130,
    t9HealedMs: HEALED_MS,
    t10RedundancyMs: 24_390,
    injectionLatencyMs: 12,
    injectionSkewMs: 0.4,
  };
}

function sampleVantage(vantage: string, recovery: RecoveryTime, fault: boolean): VantageMeasurement {
  const inside = vantage === 'client-us-central1';
  return {
    vantage,
    mustRecover: !inside,
    operations: 1700,
    good: inside ? 1090 : 1572,
    slow: 6,
    failed: inside ? 590 : 115,
    unknown: inside ? 14 : 7,
    dropped: 0,
    latencyMs: { p50: 6.4, p95: 11.2, p99: 19.8, max: 240 },
    recovery: fault
      ? [
          {
            fault: 'isolate-primary',
            recovery: inside ? { state: 'censored', lowerMs: 11_998, vantage, fault: 'isolate-primary' } : recovery,
            firstBadMs: 10_021,
            firstGoodMs: BACK_MS,
            sustainedMs: BACK_MS,
          },
        ]
      : [],
  };
}

function sampleAvailability(vantage: string, fault: boolean): readonly AvailabilitySecond[] {
  const backSecond = vantage === 'client-us-central1' ? 23 : 12;
  return Array.from({ length: END_S - 2 }, (_, at) => {
    const second = at + 1;
    const bad = fault && second >= 10 && second < backSecond;
    const edge = fault && second === backSecond;
    if (bad) return { second, vantage, good: 0, slow: 0, failed: 44, unknown: 6 };
    return { second, vantage, good: edge ? 27 : 50, slow: edge ? 3 : 0, failed: edge ? 18 : 0, unknown: edge ? 2 : 0 };
  });
}

function sampleWrite(index: number): WriteRef {
  return {
    vantage: 'client-us-central1',
    seq: 480 + index,
    op: 'put',
    key: `client-us-central1/${480 + index}`,
    value: `v${480 + index}`,
    intendedMs: 9700 + index * 20,
    completedMs: 9706 + index * 20,
    outcome: 'ok',
    region: 'us-central1',
    line: 1480 + index,
  };
}

function sampleEvents(scenario: Scenario, { fault = true }: SampleOptions): readonly RunEvent[] {
  const at = (atMs: number, body: EventBody): RunEvent => ({ atMs, wall: new Date(1_795_371_000_000 + atMs).toISOString(), ...body });
  const pod = (name: string) => ({ pod: `${name}-us-central1`, region: 'us-central1' });
  const log = (atMs: number, action: string, details: Readonly<Record<string, unknown>>): RunEvent =>
    at(atMs, { kind: 'engine-log', pod: 'dr-controller-us-east1', action, line: { action, details } });
  return [
    at(0, {
      kind: 'run-started',
      schema: 1,
      runId: '2026-11-22T18-10-00-region-isolation',
      originNs: '123456789',
      scenario,
      scenarioFile: 'scenarios/region-isolation.yaml',
      seed: 42,
      platform: 'local',
      machine: { kernel: 'Linux 6.1.0', cpus: 2, node: 'v24.21.0', user: 'root' },
      versions: { engine: OWN_ENGINE, etcd: '3.4.23', knot: '3.2.6', unbound: '1.17.1' },
      regionOfAddress: { '10.77.1.10': 'us-central1' },
      vantages: [...VANTAGES],
    }),
    at(1, { kind: 'phase', phase: 'setup' }),
    at(1200, { kind: 'phase', phase: 'steady' }),
    ...(fault
      ? [
          at(9990, {
            kind: 'fault-planned' as const,
            fault: 'isolate-primary',
            manifestFile: 'chaos/region-isolation.yaml',
            manifestSha256: '4f1d0c5e'.repeat(8),
            manifestKind: 'NetworkChaos',
            action: 'partition',
            mode: 'all',
            seed: 42,
            sources: ['api', 'db', 'dr-controller', 'etcd'].map(pod),
            targets: [],
            expected: { kind: 'links-cut', pods: [], cut: [], unobservable: [] },
            notes: ['duration counts from the effect, not from creation as Chaos Mesh does'],
          }),
          at(10_000, { kind: 'phase', phase: 'inject' }),
          at(10_012, { kind: 'fault-injected', fault: 'isolate-primary', requestedMs: 10_000, acknowledgedMs: EFFECT_MS }),
          at(10_100, {
            kind: 'fault-effect',
            fault: 'isolate-primary',
            moment: 'during',
            confirmed: true,
            betweenMs: [10_005, 10_019] as const,
            skewMs: 0.4,
            asked: '42 directed links cut',
            measured: '42 of 42 cut, 0 others',
            evidence: { kind: 'links', beacons: [] },
          }),
          log(10_640, 'primary_suspected', { primary: 'us-central1' }),
          log(10_960, 'failover_initiated', { from: 'us-central1', to: 'us-east1', epoch: 2 }),
          log(11_617, 'writable', { epoch: 2 }),
          log(11_640, 'dns_updated', { epoch: 2, ttl: 1 }),
          at(HEALED_MS, { kind: 'fault-healed', fault: 'isolate-primary', requestedMs: 22_000, acknowledgedMs: HEALED_MS }),
          at(22_400, {
            kind: 'fault-effect',
            fault: 'isolate-primary',
            moment: 'after-heal',
            confirmed: true,
            asked: 'all links open',
            measured: 'all links open',
            evidence: { kind: 'links', beacons: [] },
          }),
        ]
      : []),
    at(23_000, { kind: 'phase', phase: 'settle' }),
    at(33_200, { kind: 'run-ended', leftovers: [] }),
  ] as readonly RunEvent[];
}
