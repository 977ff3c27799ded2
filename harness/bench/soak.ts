import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir, type CpuInfo } from 'node:os';
import { join } from 'node:path';
import { HarnessError } from '../platform/errors.ts';
import type { ResultDocument } from '../report/result-shape.ts';
import { runGamedayProgram } from './gameday-cli.ts';
import { ROOT } from './run-program.ts';

export interface SoakResult {
  /** As asked. */
  readonly minutes: number;
  /** From the steady state on; less where it was stopped. */
  readonly ranMinutes: number;
  readonly spinners: number;
  /** What part of the run the least busy processor had work, 0 to 1, whoever gave it: a soak of idle processors shows little. */
  readonly processorsBusy: number;
  /** Its folder below reports/ holds the record. */
  readonly runId: string;
  readonly verdict: ResultDocument['verdict'];
  /** Whether the engine's log was heard at all: a lab begins with a promotion. Of a log that is silent nothing unwanted comes. */
  readonly heard: boolean;
  /** What must not happen on a busy machine where nothing is broken: action → how often. */
  readonly unwanted: Readonly<Record<string, number>>;
  /** Each of these, by when and where. */
  readonly events: readonly UnwantedEvent[];
  /** What the clients saw: each minute in which one of them had late or no answers. */
  readonly badMinutes: readonly BadMinute[];
}

/** Minutes are counted from the steady state on. */
export interface UnwantedEvent {
  readonly minute: number;
  readonly region: string;
  readonly action: string;
  readonly detail: string;
}

export interface BadMinute {
  readonly minute: number;
  readonly vantage: string;
  readonly slow: number;
  readonly failed: number;
  readonly unknown: number;
}

const UNWANTED = ['failover_initiated', 'primary_confirmed_down', 'epoch_acquired', 'self_fenced', 'demoted', 'sync_set_changed'] as const;
/** sync_set_changed is told but allowed: a standby that is late leaves the set and comes back, nobody notices. */
const ALLOWED = ['sync_set_changed'];

/** The null scenario for so many minutes while busy processes take every CPU. Stopped early, it is judged for what there is. */
export async function soak(minutes: number, spinners: number, signal: AbortSignal): Promise<SoakResult> {
  const folder = await mkdtemp(join(tmpdir(), 'soak-'));
  const busy = Array.from({ length: spinners }, spinner);
  const before = cpus();
  try {
    const file = join(folder, 'soak.yaml');
    await writeFile(file, soakScenario(await readFile(join(ROOT, 'scenarios/null.yaml'), 'utf8'), minutes));
    const [result] = await runGamedayProgram([file], { signal, evenIfAborted: true });
    if (result === undefined) throw new HarnessError('lab-failed', 'the soak gave no result');
    return soakResult(result, { minutes, spinners, processorsBusy: leastBusy(before, cpus()) });
  } finally {
    for (const child of busy) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

/** The busy part, 0 to 1, of the processor that idled most between two looks at the counters of the kernel. */
export function leastBusy(before: readonly CpuInfo[], after: readonly CpuInfo[]): number {
  const total = ({ times }: CpuInfo): number => Object.values(times).reduce((sum, ms) => sum + ms, 0);
  const shares = after.map((now, index) => {
    const then = before[index];
    if (then === undefined || total(now) <= total(then)) return 0;
    return 1 - (now.times.idle - then.times.idle) / (total(now) - total(then));
  });
  return shares.length === 0 ? 0 : Math.min(...shares);
}

export function soakResult(result: ResultDocument, load: Pick<SoakResult, 'minutes' | 'spinners' | 'processorsBusy'>): SoakResult {
  return {
    ...load,
    ranMinutes: ranMinutes(result),
    runId: result.runId,
    verdict: result.verdict,
    heard: result.engineClaims.some(({ atMs, action }) => atMs < steadyMs(result.phases) && action === 'epoch_acquired'),
    unwanted: unwantedIn(result),
    events: unwantedEvents(result),
    badMinutes: badMinutes(result),
  };
}

/** Where nobody keeps the processors busy (no spinners), how busy they were is told and not asked for. */
export function soakHolds({ verdict, unwanted, minutes, ranMinutes: ran, heard, spinners, processorsBusy }: SoakResult): boolean {
  return (
    (spinners === 0 || processorsBusy >= BUSY) &&
    verdict.outcome === 'pass' &&
    heard &&
    ran >= minutes &&
    Object.entries(unwanted).every(([action, count]) => count === 0 || ALLOWED.includes(action))
  );
}

const BUSY = 0.9;

const TOLD = 100;

/** The verdict, and below it what was unwanted by minute and region, the first hundred of each kind. */
export function soakText(result: SoakResult): string {
  const { ranMinutes: ran, minutes, spinners, processorsBusy, verdict, unwanted, events, runId } = result;
  const counts = Object.entries(unwanted).map(([action, count]) => `${action} ${count}`);
  const rows = events
    .slice(0, TOLD)
    .map((one) => `| ${one.minute.toFixed(2)} | ${one.region} | ${one.action} | ${one.detail.replaceAll('|', '/')} |`);
  const bad = result.badMinutes
    .slice(0, TOLD)
    .map((one) => `| ${one.minute} | ${one.vantage} | ${one.slow} | ${one.failed} | ${one.unknown} |`);
  return [
    `${ran} of ${minutes} minutes, ${spinners} busy processes of its own, the least busy processor had work ${Math.round(processorsBusy * 100)} % of the time: ${verdict.outcome} (${verdict.reason}); ${counts.join(', ')}`,
    ...(rows.length === 0 ? [] : ['', '| minute | region | what | details |', '|---|---|---|---|', ...rows]),
    ...(bad.length === 0 ? [] : ['', '| minute | client in | late | failed | unknown |', '|---|---|---|---|---|', ...bad]),
    ...(events.length > TOLD || result.badMinutes.length > TOLD ? ['', 'The rest is in soak.json.'] : []),
    '',
    `Record: reports/${runId} (\`gameday judge\` reads it also where this program was killed).`,
  ].join('\n');
}

function ranMinutes({ phases }: ResultDocument): number {
  const fromMs = steadyMs(phases);
  const toMs = phases.find(({ atMs, phase }) => atMs >= fromMs && (phase === 'heal' || phase === 'teardown'))?.atMs ?? fromMs;
  return Math.round((toMs - fromMs) / 6000) / 10;
}

function steadyMs(phases: ResultDocument['phases']): number {
  return phases.findLast(({ phase }) => phase === 'steady')?.atMs ?? 0;
}

/** After the first promotion, which a new lab needs, and before everything is stopped. */
function unwantedClaims({ engineClaims, phases }: ResultDocument): ResultDocument['engineClaims'] {
  const fromMs = steadyMs(phases);
  const toMs = phases.find(({ atMs, phase }) => atMs >= fromMs && phase === 'teardown')?.atMs ?? Infinity;
  return engineClaims.filter(({ atMs, action }) => atMs >= fromMs && atMs <= toMs && UNWANTED.some((one) => one === action));
}

function unwantedIn(result: ResultDocument): Readonly<Record<string, number>> {
  const claims = unwantedClaims(result);
  return Object.fromEntries(UNWANTED.map((action) => [action, claims.filter((one) => one.action === action).length]));
}

function unwantedEvents(result: ResultDocument): readonly UnwantedEvent[] {
  const regions = result.vantages.map(({ vantage }) => vantage);
  return unwantedClaims(result).map(({ atMs, pod, action, detail }) => ({
    minute: Math.round((atMs - steadyMs(result.phases)) / 600) / 100,
    region: regions.find((region) => pod.endsWith(`-${region}`)) ?? pod,
    action,
    detail,
  }));
}

function badMinutes({ availability, phases }: ResultDocument): readonly BadMinute[] {
  const fromSecond = steadyMs(phases) / 1000;
  const minutes = new Map<string, BadMinute>();
  for (const { second, vantage, slow, failed, unknown } of availability) {
    if (second < fromSecond || slow + failed + unknown === 0) continue;
    const minute = Math.floor((second - fromSecond) / 60);
    const before = minutes.get(`${minute} ${vantage}`) ?? { minute, vantage, slow: 0, failed: 0, unknown: 0 };
    const now = { slow: before.slow + slow, failed: before.failed + failed, unknown: before.unknown + unknown };
    minutes.set(`${minute} ${vantage}`, { ...before, ...now });
  }
  return [...minutes.values()];
}

export function soakScenario(nullScenario: string, minutes: number): string {
  const text = nullScenario.replace(/^name:.*$/m, 'name: soak').replace(/^(\s*- observe:).*$/m, `$1 ${minutes}m`);
  if (!text.includes(`observe: ${minutes}m`) || !text.includes('name: soak'))
    throw new HarnessError('internal', 'scenarios/null.yaml has no observe step to lengthen');
  return text;
}

/** Ends by itself when its parent is gone: its stdin closes. */
function spinner(): ChildProcess {
  const program = `process.stdin.resume().on('close', () => process.exit()); (function spin() { const end = Date.now() + 50; while (Date.now() < end); setImmediate(spin); })();`;
  return spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'ignore', 'ignore'] });
}
