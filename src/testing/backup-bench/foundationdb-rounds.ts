import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemClock } from '../../platform/clock.ts';
import { foundationdbCommandConfig } from '../backup-command-config.ts';
import { digestOf, loadFoundationdb, PREFIX, type FoundationdbDataset } from './foundationdb-dataset.ts';
import { measure } from './measure.ts';
import { FoundationdbCluster, type FoundationdbPrograms } from '../foundationdb-cluster.ts';
import { cpuSeconds } from '../process-usage.ts';
import { WITH_PARENT } from '../with-parent.ts';

export interface Figure {
  readonly name: 'coditect-dr' | 'fdbbackup';
  readonly operation: 'backup' | 'restore';
  readonly round: number;
  readonly wallMs: number;
  /** The command and, of FoundationDB, its agent. */
  readonly cpuMs: number;
  readonly serverCpuMs: number;
  /** 0 of a restore. */
  readonly storedBytes: number;
  readonly peakBytes: number;
}

interface Measuring {
  readonly programs: FoundationdbPrograms;
  readonly folder: string;
  readonly wantedBytes: number;
  readonly rounds: number;
  /** No further round begins later than this. */
  readonly minutes: number;
  readonly onLine: (line: string) => void;
}

export interface Measured extends FoundationdbDataset {
  readonly figures: readonly Figure[];
  /** What was restored and is not what was loaded. */
  readonly differs: readonly string[];
}

const MAIN = resolve(import.meta.dirname, '../../main.js');

/** Both back up the same cluster in turns; then each restores into new clusters, in turns. */
export async function measureRounds(measuring: Measuring): Promise<Measured> {
  const { rounds, minutes } = measuring;
  const untilMs = systemClock.monotonicMs() + minutes * 60_000;
  const goesOn: GoesOn = (round) => round === 1 || (round <= rounds && systemClock.monotonicMs() < untilMs);
  const { dataset, digest, figures: backups } = await measureBackups(measuring, goesOn);
  const { figures: restores, differs } = await measureRestores(measuring, { dataset, digest }, goesOn);
  return { ...dataset, figures: [...backups, ...restores], differs };
}

type GoesOn = (round: number) => boolean;

/** What was loaded, and the digest of it. */
interface Loaded {
  readonly dataset: FoundationdbDataset;
  readonly digest: string;
}

async function measureBackups(measuring: Measuring, goesOn: GoesOn): Promise<Loaded & Pick<Measured, 'figures'>> {
  const { programs, folder, wantedBytes, onLine } = measuring;
  const source = await FoundationdbCluster.start(programs, 'single_ssd');
  const place = { clusterFile: source.clusterFile, library: programs.library };
  try {
    onLine('loading');
    const dataset = await loadFoundationdb(place, wantedBytes);
    onLine(`loaded ${dataset.bytes} bytes`);
    const digest = await digestOf(place);
    await asOwn(folder, programs, source.clusterFile, 'init');
    const figures: Figure[] = [];
    for (let round = 1; goesOn(round); round++) {
      for (const name of inTurns(round)) {
        const figure = await backUp({ ...measuring, cluster: source, name, round });
        figures.push(figure);
        onLine(told(figure, dataset.bytes));
      }
    }
    return { dataset, digest, figures };
  } finally {
    await source.stop();
  }
}

async function measureRestores(
  measuring: Measuring,
  { dataset, digest }: Loaded,
  goesOn: GoesOn,
): Promise<Pick<Measured, 'figures' | 'differs'>> {
  const { programs, onLine } = measuring;
  const figures: Figure[] = [];
  const differs: string[] = [];
  for (let round = 1; goesOn(round); round++) {
    for (const name of inTurns(round)) {
      const target = await FoundationdbCluster.start(programs, 'single_ssd');
      try {
        const figure = await restore({ ...measuring, cluster: target, name, round });
        figures.push(figure);
        onLine(told(figure, dataset.bytes));
        const found = await digestOf({ clusterFile: target.clusterFile, library: programs.library });
        if (found !== digest) differs.push(`${name}, round ${round}`);
      } finally {
        await target.stop();
      }
    }
  }
  return { figures, differs };
}

function inTurns(round: number): readonly Figure['name'][] {
  return round % 2 === 1 ? ['coditect-dr', 'fdbbackup'] : ['fdbbackup', 'coditect-dr'];
}

function told({ name, operation, round, wallMs }: Figure, bytes: number): string {
  return `${operation} ${round}: ${name} ${(wallMs / 1000).toFixed(1)} s, ${(bytes / 1000 / wallMs).toFixed(1)} MB/s`;
}

type Turn = Measuring & Pick<Figure, 'name' | 'round'> & { readonly cluster: FoundationdbCluster };

async function backUp(turn: Turn): Promise<Figure> {
  const { folder, programs, cluster, name, round } = turn;
  if (name === 'coditect-dr') {
    const store = join(folder, 'store');
    const fresh = join(folder, 'fresh');
    // Each from nothing: a second backup of the same data would store nothing.
    if (round === 1) cpSync(store, fresh, { recursive: true });
    rmSync(store, { recursive: true });
    cpSync(fresh, store, { recursive: true });
    const figure = await cost(turn, 'backup', ownScript(folder, programs, cluster.clusterFile, 'create --no-lease'), null);
    return { ...figure, storedBytes: bytesIn(store) };
  }
  const place = join(folder, `fdb-${round}`);
  mkdirSync(place);
  const figure = await withAgent(turn, (agent) =>
    cost(turn, 'backup', `'${beside(programs, 'fdbbackup')}' start -C '${cluster.clusterFile}' -d 'file://${place}' -w`, agent),
  );
  return { ...figure, storedBytes: bytesIn(place) };
}

async function restore(turn: Turn): Promise<Figure> {
  const { folder, programs, cluster, name, round } = turn;
  if (name === 'coditect-dr')
    return await cost(turn, 'restore', ownScript(folder, programs, cluster.clusterFile, 'restore latest --into us-east1'), null);
  const place = join(folder, `fdb-${round}`);
  const container = join(place, readdirSync(place)[0]!);
  const script = `'${beside(programs, 'fdbrestore')}' start --dest-cluster-file '${cluster.clusterFile}' -r 'file://${container}' -w`;
  return await withAgent(turn, (agent) => cost(turn, 'restore', script, agent));
}

async function cost(turn: Turn, operation: Figure['operation'], script: string, agent: ChildProcess | null): Promise<Figure> {
  const { cluster, name, round } = turn;
  const others = (): number => (agent?.pid === undefined ? 0 : cpuSeconds(agent.pid) * 1000);
  const servers = (): number => cluster.pids.reduce((sum, pid) => sum + cpuSeconds(pid) * 1000, 0);
  const [otherBefore, serverBefore] = [others(), servers()];
  const { wallMs, cpuMs, peak } = await measure(script, {});
  const figure = { name, operation, round, wallMs, storedBytes: 0, peakBytes: peak.totalBytes };
  return { ...figure, cpuMs: cpuMs + others() - otherBefore, serverCpuMs: servers() - serverBefore };
}

async function withAgent<T>({ programs, cluster }: Turn, work: (agent: ChildProcess) => Promise<T>): Promise<T> {
  const agent = spawn('setpriv', [...WITH_PARENT, beside(programs, 'backup_agent'), '-C', cluster.clusterFile], { stdio: 'ignore' });
  try {
    return await work(agent);
  } finally {
    agent.kill('SIGKILL');
    if (agent.exitCode === null && agent.signalCode === null) await once(agent, 'exit');
  }
}

function beside({ fdbserver }: FoundationdbPrograms, name: string): string {
  return join(fdbserver, '..', name);
}

async function asOwn(folder: string, programs: FoundationdbPrograms, clusterFile: string, words: string): Promise<void> {
  await measure(ownScript(folder, programs, clusterFile, words), {});
}

/** A command of ours against that cluster. */
function ownScript(folder: string, { library }: FoundationdbPrograms, clusterFile: string, words: string): string {
  const config = join(folder, 'config.yaml');
  writeFileSync(config, JSON.stringify(foundationdbCommandConfig('bench', { clusterFile, prefix: PREFIX, library })));
  return `'${process.execPath}' '${MAIN}' backup ${words} --config '${config}'`;
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce((sum, name) => {
    const found = statSync(join(folder, name));
    return sum + (found.isFile() ? found.size : 0);
  }, 0);
}
