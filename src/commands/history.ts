import { z } from 'zod';
import { pastRunShape, type PastRun } from '../arbiter/arbiter.ts';
import type { LoadedConfig } from '../config/load.ts';
import { Controllers } from './controllers.ts';
import { EXIT, type World } from './world.ts';

const historyShape = z.object({ runs: z.array(pastRunShape) });

/** The past runs, the last one last, each with how long its steps took. Exits 3 where no controller answers. */
export async function showHistory(loaded: LoadedConfig, world: World & { readonly json: boolean }): Promise<number> {
  const controllers = new Controllers(loaded, world.signal);
  try {
    const answers = (await controllers.status()).toSorted((a, b) => Number(b.answer.leads) - Number(a.answer.leads));
    for (const { url } of answers) {
      const parsed = historyShape.safeParse(await controllers.get(url, '/v1/history'));
      if (!parsed.success) continue;
      world.out(world.json ? `${JSON.stringify(parsed.data)}\n` : parsed.data.runs.map(describe).join('\n') || 'no run yet\n');
      return EXIT.ok;
    }
    world.err('no controller answers\n');
    return EXIT.undecided;
  } finally {
    controllers.close();
  }
}

function describe(run: PastRun): string {
  const { startedAt, outcome, tier, from, to, epoch, runId, reason, because, fencedBy, acceptedLossSeconds, restarts } = run;
  const lines = [
    `${startedAt}  ${outcome.padEnd(7)}  ${tier}  ${from} → ${to ?? '-'}  epoch ${epoch}  ${durationOf(run)} ms  ${runId}`,
    `  because ${reason}${because === null ? '' : `; ${because}`}`,
    `  ${stepsOf(run)}`,
    ...(fencedBy === null ? [] : [`  fenced by ${fencedBy === 'holder' ? 'its own confirmation' : 'the end of its lease'}`]),
    ...(acceptedLossSeconds === null ? [] : [`  a loss of up to ${acceptedLossSeconds} s was accepted by ${run.by}`]),
    ...(restarts === 0 ? [] : [`  began anew ${restarts} times`]),
    ...(run.rejoinedAt === null ? [] : [`  ${from} in sync again at ${run.rejoinedAt}`]),
    ...(run.acknowledged === null ? [] : [`  acknowledged by ${run.acknowledged.by} at ${run.acknowledged.at}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function durationOf({ startedAt, endedAt }: PastRun): number {
  return Date.parse(endedAt) - Date.parse(startedAt);
}

function stepsOf({ steps }: PastRun): string {
  return steps
    .slice(0, -1)
    .map(({ step, atMs }, i) => `${step} ${(steps[i + 1]?.atMs ?? atMs) - atMs} ms`)
    .join('  ');
}
