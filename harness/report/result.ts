import type { RunResult } from '../check/verdict.ts';
import type { EventBody, RunEvent } from '../history/event.ts';
import { lostOfBulk } from '../measure/bulk.ts';
import type { FaultTimeline, Measurement, WriteRef } from '../measure/measurement.ts';
import { backupsPart } from './backup-part.ts';
import { doesNotProve, playedOn } from './does-not-prove.ts';
import { RESULT_SCHEMA, type ResultDocument, type ResultFault, type TimelinePoint } from './result-shape.ts';
import { targetsPart } from './targets-part.ts';

/** The judged run as the document that every report is drawn from. Pure; nothing is measured or judged anew. */
export function toResultDocument(run: RunResult): ResultDocument {
  const { measurement, verdict, events } = run;
  const started = only(events, 'run-started')[0];
  const ended = only(events, 'run-ended').at(-1);
  const aborted = only(events, 'run-aborted')[0];
  return {
    schema: RESULT_SCHEMA,
    runId: run.runId,
    startedWall: run.startedWall,
    durationMs: events.at(-1)?.atMs ?? 0,
    scenario: scenarioPart(run),
    verdict: { outcome: verdict.outcome, reason: verdict.reason },
    findings: verdict.findings.map((finding) => ({ ...finding, evidence: [...finding.evidence] })),
    targets: targetsPart(run),
    recovery: measurement.recovery,
    verifiedRecovery: measurement.verifiedRecovery,
    recoveryPointMs: measurement.writes.recoveryPointMs,
    writePause: measurement.writePause,
    writes: writesPart(measurement),
    reads: { count: measurement.reads.reads, stale: measurement.reads.stale.length },
    splitBrain: measurement.reigns.splitBrain.map((one) => one.message),
    reigns: measurement.reigns.reigns.map(({ region, firstAckMs, lastAckMs, acknowledgements }) => ({
      region,
      firstAckMs,
      lastAckMs,
      acknowledgements,
    })),
    replicas: measurement.replicas.read.map(({ region, ok, entries }) => ({
      region,
      ok,
      entries,
      differences: measurement.replicas.differences.filter((one) => one.region === region).length,
    })),
    faults: measurement.faults.map((timeline) => faultPart(timeline, events)),
    orders: only(events, 'order').map(({ args, givenMs, endedMs, exitCode }) => {
      return { command: ['coditect-dr', ...args].join(' '), givenMs, endedMs, exitCode };
    }),
    backups: measurement.backups ? backupsPart(measurement.backups, events) : null,
    phases: only(events, 'phase').map(({ phase, atMs }) => ({ phase, atMs })),
    vantages: measurement.vantages.map((vantage) => ({
      ...counts(vantage),
      vantage: vantage.vantage,
      mustRecover: vantage.mustRecover,
      operations: vantage.operations,
      dropped: vantage.dropped,
      latencyMs: vantage.latencyMs,
      recovery: vantage.recovery.map(({ fault, recovery }) => ({ fault, recovery })),
    })),
    availability: measurement.availability.map((second) => ({ ...counts(second), second: second.second, vantage: second.vantage })),
    lag: measurement.lag.map(({ second, region, lagMs }) => ({ second, region, lagMs })),
    engineClaims: engineClaims(events),
    environment: {
      seed: started?.seed ?? 0,
      kernel: started?.machine.kernel ?? 'unknown',
      cpus: started?.machine.cpus ?? 0,
      node: started?.machine.node ?? 'unknown',
      user: started?.machine.user ?? 'unknown',
      versions: { ...started?.versions },
    },
    machine: measurement.machine ?? null,
    aborted: aborted === undefined ? null : { code: aborted.code, message: aborted.message },
    leftovers: ended === undefined ? null : [...ended.leftovers],
    notes: only(events, 'note').map((note) => note.message),
    whatThisDoesNotProve: [...doesNotProve(run)],
  };
}

type Kind = EventBody['kind'];
type Of<K extends Kind> = Extract<RunEvent, { readonly kind: K }>;

function only<K extends Kind>(events: readonly RunEvent[], kind: K): readonly Of<K>[] {
  return events.filter((event): event is Of<K> => event.kind === kind);
}

function scenarioPart({ scenario, scenarioFile, events }: RunResult): ResultDocument['scenario'] {
  const { periodMs, timeoutMs, goodWithinMs } = scenario.workload;
  return {
    name: scenario.name,
    question: scenario.question,
    file: scenarioFile,
    platform: playedOn({ scenario, events }),
    replication: scenario.replication,
    policy: scenario.policy,
    expect: { ...scenario.expect, mustRecover: [...scenario.expect.mustRecover] },
    workload: { periodMs, timeoutMs, goodWithinMs },
  };
}

function writesPart(measurement: Measurement): ResultDocument['writes'] {
  const { writes } = measurement;
  return {
    issued: writes.issued,
    acknowledged: writes.acknowledged,
    failed: writes.failed,
    unknown: writes.unknown,
    readBackRegion: writes.readBackRegion,
    lost: writes.lost.map(writePart),
    lostOfBulk: writes.readBackRegion === null ? 0 : lostOfBulk(measurement),
    unsaved: writes.unsaved.length,
    holes: writes.holes.length,
    resurrected: writes.resurrected.length,
    phantoms: writes.phantoms.length,
    foreign: writes.foreign.length,
  };
}

function writePart(write: WriteRef): ResultDocument['writes']['lost'][number] {
  const { vantage, seq, op, key, value, intendedMs, completedMs, region, line } = write;
  return { vantage, seq, op, key, value, intendedMs, completedMs, region, line };
}

function counts(of: { readonly good: number; readonly slow: number; readonly failed: number; readonly unknown: number }) {
  return { good: of.good, slow: of.slow, failed: of.failed, unknown: of.unknown };
}

const between = (interval: { readonly lowerMs: number; readonly upperMs: number } | null): number | null =>
  interval === null ? null : (interval.lowerMs + interval.upperMs) / 2;

function faultPart(timeline: FaultTimeline, events: readonly RunEvent[]): ResultFault {
  const planned = only(events, 'fault-planned').find((one) => one.fault === timeline.fault);
  const points: Record<TimelinePoint, number | null> = {
    t0InjectCalled: timeline.t0InjectCalledMs,
    t1Effect: between(timeline.t1EffectMs),
    t2FirstBad: timeline.t2FirstBadMs,
    t3Detected: timeline.t3DetectedMs,
    t4Decided: timeline.t4DecidedMs,
    t5Writable: timeline.t5WritableMs,
    t6FirstGood: timeline.t6FirstGoodMs,
    t7Sustained: timeline.t7SustainedMs,
    t8Verified: timeline.t8VerifiedMs,
    t9Healed: timeline.t9HealedMs,
    t10Redundancy: timeline.t10RedundancyMs,
  };
  return {
    fault: timeline.fault,
    manifestFile: planned?.manifestFile ?? 'unknown',
    manifestSha256: planned?.manifestSha256 ?? 'unknown',
    kind: timeline.manifestKind,
    action: timeline.action,
    mode: planned?.mode ?? 'unknown',
    durationMs: planned?.durationMs ?? null,
    sources: [...(planned?.sources ?? [])],
    targets: [...(planned?.targets ?? [])],
    notes: [...(planned?.notes ?? [])],
    effects: only(events, 'fault-effect')
      .filter((one) => one.fault === timeline.fault)
      .map(({ moment, confirmed, asked, measured }) => ({ moment, confirmed, asked, measured })),
    injectionLatencyMs: timeline.injectionLatencyMs,
    injectionSkewMs: timeline.injectionSkewMs,
    effectMs: timeline.t1EffectMs,
    points,
    differences: differences(points),
  };
}

function differences(points: Readonly<Record<TimelinePoint, number | null>>): ResultFault['differences'] {
  const seen = (Object.entries(points) as [TimelinePoint, number | null][]).filter(
    (entry): entry is [TimelinePoint, number] => entry[1] !== null,
  );
  seen.sort((one, other) => one[1] - other[1]); // a fault may heal before or after the recovery is verified
  return seen.slice(1).map(([to, atMs], index) => {
    const [from, fromMs] = seen[index] ?? [to, atMs];
    return { from, to, ms: atMs - fromMs };
  });
}

/** Only what tells the story of a failover; the whole log is in events.ndjson. */
function engineClaims(events: readonly RunEvent[]): ResultDocument['engineClaims'] {
  return only(events, 'engine-log').map(({ atMs, pod, action, line }) => ({ atMs, pod, action, detail: detailOf(line['details']) }));
}

function detailOf(details: unknown): string {
  if (details === null || typeof details !== 'object') return '';
  const fields = Object.entries(details).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  return fields
    .slice(0, 4)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ')
    .slice(0, 160);
}
