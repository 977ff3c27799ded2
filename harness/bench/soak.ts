import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
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
  readonly verdict: ResultDocument['verdict'];
  /** What must not happen on a busy machine where nothing is broken: action → how often. */
  readonly unwanted: Readonly<Record<string, number>>;
}

const UNWANTED = ['failover_initiated', 'primary_confirmed_down', 'epoch_acquired', 'self_fenced', 'demoted', 'sync_set_changed'] as const;
/** sync_set_changed is told but allowed: a standby that is late leaves the set and comes back, nobody notices. */
const ALLOWED = ['sync_set_changed'];

/** The null scenario for so many minutes while busy processes take every CPU. Stopped early, it is judged for what there is. */
export async function soak(minutes: number, spinners: number, signal: AbortSignal): Promise<SoakResult> {
  const folder = await mkdtemp(join(tmpdir(), 'soak-'));
  const busy = Array.from({ length: spinners }, spinner);
  try {
    const file = join(folder, 'soak.yaml');
    await writeFile(file, soakScenario(await readFile(join(ROOT, 'scenarios/null.yaml'), 'utf8'), minutes));
    const [result] = await runGamedayProgram([file], { signal, evenIfAborted: true });
    if (result === undefined) throw new HarnessError('lab-failed', 'the soak gave no result');
    return { minutes, ranMinutes: ranMinutes(result), spinners, verdict: result.verdict, unwanted: unwantedIn(result) };
  } finally {
    for (const child of busy) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

export function soakHolds({ verdict, unwanted }: SoakResult): boolean {
  return verdict.outcome === 'pass' && Object.entries(unwanted).every(([action, count]) => count === 0 || ALLOWED.includes(action));
}

function ranMinutes({ phases }: ResultDocument): number {
  const fromMs = phases.findLast(({ phase }) => phase === 'steady')?.atMs ?? 0;
  const toMs = phases.find(({ atMs, phase }) => atMs >= fromMs && (phase === 'heal' || phase === 'teardown'))?.atMs ?? fromMs;
  return Math.round((toMs - fromMs) / 6000) / 10;
}

/** After the first promotion, which a new lab needs. */
export function unwantedIn({ engineClaims, phases }: ResultDocument): Readonly<Record<string, number>> {
  const steadyMs = phases.findLast(({ phase }) => phase === 'steady')?.atMs ?? 0;
  const later = engineClaims.filter(({ atMs }) => atMs >= steadyMs);
  return Object.fromEntries(UNWANTED.map((action) => [action, later.filter((one) => one.action === action).length]));
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
