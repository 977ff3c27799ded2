import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { systemClock } from '../platform/clock.ts';
import { benchOptions, wholeNumber, wordList } from './bench-options.ts';
import { measureSteady, type Shares, type SteadyPhase, type SteadyRun } from './steady.ts';

/** `./scripts/bench steady [--seconds 30] [--regions 3,9] [--policies lab,production]`. Result: reports/benchmarks/steady.json and .md. */

/** What is claimed of the policy that people run: of one core, and of the arbiter. */
const PRODUCTION = { leaderPercent: 5, controllerPercent: 3, arbiterRequestsPerSecond: 10 };

interface Asked {
  readonly seconds: number;
  readonly regions: readonly ('3' | '9')[];
  readonly policies: readonly ('production' | 'lab')[];
}
const {
  seconds,
  regions: counts,
  policies,
} = benchOptions<Asked>('steady', (command) =>
  command
    .option('--seconds <count>', 'how long each load lasts', wholeNumber(1), 30)
    .option('--regions <counts>', 'how many regions: 3,9', wordList(['3', '9']), ['3', '9'])
    .option('--policies <names>', 'production,lab', wordList(['production', 'lab']), ['production', 'lab']),
);
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupted.abort(new Error(`interrupted by ${name}`)));
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const runs: SteadyRun[] = [];
let problem: string | null = null;
try {
  for (const policy of policies)
    for (const regions of counts)
      runs.push(await measureSteady({ regions: Number(regions), policy, seconds, signal: interrupted.signal, onLine: say }));
} catch (error) {
  problem = (error as Error).message;
}
const broken = runs.flatMap(({ policy, regions, phases }) =>
  phases.flatMap((phase) => complaints(phase, policy).map((why) => `${policy}, ${regions} regions, ${phase.load}: ${why}`)),
);
const judged = problem === null && runs.some(({ policy }) => policy === 'production');
const verdict = broken.length > 0 ? 'broken' : judged ? 'holds' : 'undecided';
const machine = { kernel: release(), cpu: cpus()[0]?.model ?? 'unknown', cpus: cpus().length, node: process.version };
mkdirSync('reports/benchmarks', { recursive: true });
const document = { name: 'steady', at: systemClock.wall().toISOString(), machine, verdict, problem, broken, claim: PRODUCTION, runs };
writeFileSync('reports/benchmarks/steady.json', `${JSON.stringify(document, null, 2)}\n`);
const text = [
  '# What the engine costs where nothing happens',
  '',
  `${document.at}, ${machine.cpus} × ${machine.cpu}, kernel ${machine.kernel}, Node ${machine.node}. Real programs, etcd (3 members) and name server on loopback, all on this machine; ` +
    'CPU in percent of one core (median / most of those that there are several of).',
  '',
  `Claimed of the production policy, at rest: leader ≤ ${PRODUCTION.leaderPercent} %, any other controller ≤ ${PRODUCTION.controllerPercent} %, ` +
    `arbiter ≤ ${PRODUCTION.arbiterRequestsPerSecond} requests a second, no unrest in the logs: ${verdict}${problem === null ? '' : ` (${problem})`}.`,
  ...broken.map((why) => `- ${why}`),
  '',
  "| policy | regions | load | leader | other controllers | primary database | standby databases | APIs | etcd members | arbiter requests/s | controllers' sockets (new) | unrest |",
  '|---|---|---|---|---|---|---|---|---|---|---|---|',
  ...runs.flatMap((run) => run.phases.map((phase) => row(run, phase))),
  '',
].join('\n');
writeFileSync('reports/benchmarks/steady.md', text);
process.stdout.write(text);
process.exitCode = interrupted.signal.aborted ? 130 : { broken: 1, holds: 0, undecided: 3 }[verdict];

function complaints(phase: SteadyPhase, policy: SteadyRun['policy']): readonly string[] {
  if (policy !== 'production' || phase.load !== 'rest') return [];
  const { leaderPercent, otherControllersPercent, unrest } = phase;
  return [
    ...(leaderPercent > PRODUCTION.leaderPercent ? [`the leader takes ${leaderPercent} %`] : []),
    ...(otherControllersPercent.max > PRODUCTION.controllerPercent ? [`another controller takes ${otherControllersPercent.max} %`] : []),
    ...(requests(phase) > PRODUCTION.arbiterRequestsPerSecond ? [`the arbiter gets ${requests(phase)} requests a second`] : []),
    ...Object.entries(unrest).map(([action, count]) => `${action} ${count} times`),
  ];
}

function requests({ arbiterRequestsPerSecond }: SteadyPhase): number {
  return Math.round(Object.values(arbiterRequestsPerSecond).reduce((sum, rate) => sum + rate, 0) * 10) / 10;
}

function row({ policy, regions }: SteadyRun, phase: SteadyPhase): string {
  const both = ({ median, max }: Shares): string => `${median.toFixed(1)} / ${max.toFixed(1)}`;
  const { load, writes, controllerSockets, unrest } = phase;
  const cells = [
    policy,
    regions,
    load === 'rest' ? 'rest' : `${writes.acknowledged} of ${writes.asked} writes`,
    phase.leaderPercent.toFixed(1),
    both(phase.otherControllersPercent),
    phase.primaryDatabasePercent.toFixed(1),
    both(phase.standbyDatabasesPercent),
    both(phase.apisPercent),
    both(phase.arbiterMembersPercent),
    requests(phase),
    `${controllerSockets.open} (${controllerSockets.new})`,
    Object.entries(unrest)
      .map(([action, count]) => `${action} ${count}`)
      .join(', ') || 'none',
  ];
  return `| ${cells.join(' | ')} |`;
}
