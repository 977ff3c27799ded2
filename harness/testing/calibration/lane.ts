import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventBody, RunEvent } from '../../history/event.ts';
import { measure } from '../../measure/measure.ts';
import { viewRun } from '../../measure/view.ts';
import type { Clock } from '../../platform/clock.ts';
import { HarnessError } from '../../platform/errors.ts';
import { makeCertificates } from '../../platform/local/certificates.ts';
import { podOf, SERVICE_NAME, threeRegions } from '../../platform/local/topology.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { reportSchema, type VantageCommand } from '../../workload/protocol.ts';
import { WARM_TICKS } from '../../workload/warm-up.ts';
import type { CalibrationSample } from '../calibration-gate.ts';
import { Beacon } from './beacon.ts';
import { isReport, type DeviceCommand, type Outage } from './device-protocol.ts';
import { Program } from './program.ts';

const VANTAGE = 'calibration';
const WORKLOAD = { periodMs: 20, timeoutMs: 500, goodWithinMs: 250, sustained: { operations: 10, forMs: 400 } } as const;
export const PROBE_PERIOD_MS = WORKLOAD.periodMs;
/** The order to stop is given so long before, so that giving it is not measured. */
const ORDER_AHEAD_MS = 50;
/** Served so long before an outage, and this much longer than the sustained window after it. */
const STEADY_MS = 400;
const LIMIT_MS = 10_000;

export interface PlannedOutage {
  readonly forMs: number;
  readonly how: Outage;
}

interface LaneContext {
  readonly clock: Clock;
  readonly originNs: bigint;
  /** [0, 1): when exactly an outage begins between two probes is left to chance. */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** One device and one vantage, and outages one after the other; measured by the same code as a game day. Ends all it started. */
export async function calibrateLane(outages: readonly PlannedOutage[], context: LaneContext): Promise<readonly CalibrationSample[]> {
  const folder = mkdtempSync(join(tmpdir(), 'calibration-'));
  const programs: Program[] = [];
  try {
    const tls = await credentials(folder);
    const device = new Program(import.meta.resolve('./device-program.js'), [tls.ca, tls.server.cert, tls.server.key]);
    programs.push(device);
    const listening = await device.next(isReport('listening'), context.signal);
    const vantage = new Program(import.meta.resolve('../../workload/vantage.js'), []);
    programs.push(vantage);
    return await measureOutages(outages, { ...context, device, vantage, tls, ...listening });
  } finally {
    await Promise.all(programs.map((program) => program.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Lane extends LaneContext {
  readonly device: Program;
  readonly vantage: Program;
  readonly tls: Awaited<ReturnType<typeof credentials>>;
  readonly port: number;
  readonly dnsPort: number;
  readonly beaconPort: number;
}

async function measureOutages(outages: readonly PlannedOutage[], lane: Lane): Promise<readonly CalibrationSample[]> {
  const { clock, vantage, signal } = lane;
  const events: RunEvent[] = [];
  const record = (body: EventBody): void => void events.push({ atMs: clock.nowMs(), wall: clock.wall(), ...body });
  record(runStarted(lane));
  vantage.onMessage((message) => {
    const report = reportSchema.parse(message);
    if (report.type !== 'op') return;
    const { type: _, ...operation } = report;
    record({ kind: 'op', vantage: VANTAGE, ...operation });
  });
  const ready = vantage.next((message) => reportSchema.parse(message).type === 'ready', signal);
  vantage.send(configuration(lane));
  await ready;
  vantage.send({ type: 'begin', startMs: clock.nowMs() + ORDER_AHEAD_MS } satisfies VantageCommand);
  // A client that warms up sends rarely: an outage would be measured by a probe period that no game day judges by.
  await clock.sleep(ORDER_AHEAD_MS + WARM_TICKS * WORKLOAD.periodMs, signal);
  const beacon = new Beacon(clock, lane.beaconPort);
  const truths: Truth[] = [];
  try {
    for (const [index, outage] of outages.entries()) truths.push(await oneOutage(`outage-${index}`, outage, { ...lane, beacon, record }));
    vantage.send({ type: 'stop' } satisfies VantageCommand);
    await vantage.exited;
  } finally {
    beacon.close();
  }
  const recoveries = measure(viewRun(events)).vantages[0]?.recovery ?? [];
  return outages.map(({ forMs, how }, index) => ({
    outageMs: forMs,
    how,
    truthMs: truths[index]?.outageMs ?? NaN,
    answeredMs: truths[index]?.answeredMs ?? NaN,
    measured: recoveries[index]?.recovery ?? { state: 'not-measured', reason: 'no recovery of this outage' },
  }));
}

interface Making extends Lane {
  readonly beacon: Beacon;
  readonly record: (body: EventBody) => void;
}

/** By the device's own account, from when it stopped serving. */
interface Truth {
  readonly outageMs: number;
  readonly answeredMs: number;
}

/** Makes one outage, records what the gate saw of it, and answers how long it truly was. */
async function oneOutage(fault: string, { forMs, how }: PlannedOutage, lane: Making): Promise<Truth> {
  const { clock, device, record, beacon, random, signal } = lane;
  await clock.sleep(STEADY_MS + random() * 5 * WORKLOAD.periodMs, signal);
  record({
    kind: 'fault-planned',
    fault,
    manifestFile: 'calibration',
    manifestSha256: '',
    manifestKind: 'KnownOutage',
    action: how,
    mode: 'one',
    seed: 0,
    sources: [],
    targets: [],
    // Not for a judge: the gate has its own truth.
    expected: { kind: 'processes-gone', pods: [], afterwards: 'held' },
    notes: [],
  });
  const requestedMs = clock.nowMs();
  const made = device.next(isReport('outage'), signal, forMs + LIMIT_MS);
  const answered = device.next(isReport('answered'), signal, forMs + LIMIT_MS);
  device.send({ type: 'outage', inMs: ORDER_AHEAD_MS, forMs, how } satisfies DeviceCommand);
  record({ kind: 'fault-injected', fault, requestedMs, acknowledgedMs: clock.nowMs() });
  const [{ beganNs, endedNs }, { atNs }] = await Promise.all([made, answered]);
  await clock.sleep(WORKLOAD.sustained.forMs + WORKLOAD.timeoutMs + STEADY_MS, signal);
  const betweenMs = beacon.effectAfter(requestedMs);
  const seen = {
    kind: 'fault-effect',
    fault,
    moment: 'during',
    asked: `${forMs} ms away`,
    measured: betweenMs === null ? 'always there' : 'away',
    evidence: { kind: 'processes', processes: [] },
  } as const;
  record({ ...seen, confirmed: betweenMs !== null, ...(betweenMs === null ? {} : { betweenMs }) });
  const since = (ns: string): number => Number(BigInt(ns) - BigInt(beganNs)) / 1e6;
  return { outageMs: since(endedNs), answeredMs: since(atNs) };
}

function runStarted({ originNs }: Lane): EventBody {
  const scenario: Scenario = {
    name: 'calibration',
    question: 'Does the harness measure what is true?',
    sets: ['default'],
    platform: 'local',
    replication: 'sync',
    policy: 'lab',
    controllersPerRegion: 1,
    seed: 0,
    workload: WORKLOAD,
    steadyMs: STEADY_MS,
    method: [],
    settleMs: 0,
    expect: { failover: 'none', outage: 'expected', loss: 'none', mustRecover: [VANTAGE] },
    targets: { recoveryTimeMs: null, recoveryPointMs: null, lostWrites: null, writePauseMs: null },
  };
  const machine = { kernel: '', cpus: 0, node: process.version, user: '' };
  const rest = {
    schema: 1,
    runId: 'calibration',
    scenarioFile: '',
    seed: 0,
    platform: 'local',
    versions: {},
    regionOfAddress: {},
    vantages: [VANTAGE] as string[],
  } as const;
  return { kind: 'run-started', originNs: String(originNs), scenario, machine, ...rest };
}

function configuration({ originNs, port, dnsPort, tls }: Lane): VantageCommand {
  const found = { resolver: '127.0.0.1', resolverPort: dnsPort, name: SERVICE_NAME, port };
  const { periodMs, timeoutMs } = WORKLOAD;
  const identity = { vantage: VANTAGE, vantages: [VANTAGE], originNs: String(originNs) };
  const service = { kind: 'engine', ...found, tls: { ca: tls.ca, ...tls.client } } as const;
  return { type: 'configure', ...identity, service, periodMs, timeoutMs };
}

interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

async function credentials(folder: string): Promise<{ readonly ca: string; readonly server: KeyPair; readonly client: KeyPair }> {
  const topology = threeRegions();
  const api = podOf(topology, 'api', topology.primaryRegion);
  const client = podOf(topology, 'client', topology.primaryRegion);
  const made = await makeCertificates([api, client], new Date());
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const pair = (pod: string): KeyPair => {
    const found = made.get(pod);
    if (found === undefined) throw new HarnessError('internal', `no certificate for ${pod}`);
    return { cert: write(`${pod}.crt`, found.certPem), key: write(`${pod}.key`, found.keyPem) };
  };
  return { ca: write('ca.crt', made.get(api.name)?.caPem ?? ''), server: pair(api.name), client: pair(client.name) };
}
