import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { PutRow } from '../database/remote-target.ts';
import { openCluster } from '../foundationdb/client.ts';
import { openFence } from '../foundationdb/fence.ts';
import { keySpaceOf } from '../foundationdb/key-space.ts';
import { foundationdbToFill } from '../foundationdb/remote-target.ts';
import { readSlice } from '../foundationdb/slices.ts';
import { systemClock } from '../platform/clock.ts';
import { backupCommandConfig } from './backup-command-config.ts';
import { documentAt } from './backup-bench/documents.ts';
import { measure } from './backup-bench/measure.ts';
import { FoundationdbCluster, type FoundationdbPrograms } from './foundationdb-cluster.ts';
import { cpuSeconds } from './process-usage.ts';
import { WITH_PARENT } from './with-parent.ts';

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

export interface Measured {
  readonly bytes: number;
  readonly records: number;
  readonly figures: readonly Figure[];
  /** What was restored and is not what was loaded. */
  readonly differs: readonly string[];
}

const PREFIX = 'bench/';
const keys = keySpaceOf(PREFIX);
const PUT_BYTES = 512 * 1024;
const PUTS_AT_ONCE = 16;
const SLICE_BYTES = 1024 * 1024;
const never = new AbortController().signal;
const MAIN = resolve(import.meta.dirname, '../main.js');

/** Both back up the same cluster in turns; then each restores into new clusters, in turns. */
export async function measureRounds(measuring: Measuring): Promise<Measured> {
  const { programs, folder, rounds, minutes, onLine } = measuring;
  const untilMs = systemClock.monotonicMs() + minutes * 60_000;
  const goesOn = (round: number): boolean => round === 1 || (round <= rounds && systemClock.monotonicMs() < untilMs);
  const figures: Figure[] = [];
  const differs: string[] = [];
  const source = await FoundationdbCluster.start(programs, 'single_ssd');
  let loaded: Awaited<ReturnType<typeof load>>;
  let digest = '';
  try {
    onLine('loading');
    loaded = await load(measuring, source.clusterFile);
    onLine(`loaded ${loaded.bytes} bytes`);
    digest = await digestOf(programs, source.clusterFile);
    await asOwn(folder, programs, source.clusterFile, 'init');
    for (let round = 1; goesOn(round); round++) {
      for (const name of inTurns(round)) {
        const figure = await backUp({ ...measuring, cluster: source, name, round });
        figures.push(figure);
        onLine(told(figure, loaded.bytes));
      }
    }
  } finally {
    await source.stop();
  }
  for (let round = 1; goesOn(round); round++) {
    for (const name of inTurns(round)) {
      const target = await FoundationdbCluster.start(programs, 'single_ssd');
      try {
        const figure = await restore({ ...measuring, cluster: target, name, round });
        figures.push(figure);
        onLine(told(figure, loaded.bytes));
        if ((await digestOf(programs, target.clusterFile)) !== digest) differs.push(`${name}, round ${round}`);
      } finally {
        await target.stop();
      }
    }
  }
  return { ...loaded, figures, differs };
}

function inTurns(round: number): readonly Figure['name'][] {
  return round % 2 === 1 ? ['coditect-dr', 'fdbbackup'] : ['fdbbackup', 'coditect-dr'];
}

function told({ name, operation, round, wallMs }: Figure, bytes: number): string {
  return `${operation} ${round}: ${name} ${(wallMs / 1000).toFixed(1)} s, ${(bytes / 1000 / wallMs).toFixed(1)} MB/s`;
}

/** A key space that is served: then a backup is made as of one that is used. */
async function load(
  { programs, wantedBytes }: Measuring,
  clusterFile: string,
): Promise<{ readonly bytes: number; readonly records: number }> {
  const db = openCluster({ clusterFile, library: programs.library, tls: null });
  const target = foundationdbToFill({ db, keys, lock: { system: 'bench', epoch: 1 } });
  try {
    await target.begin('bench');
    let [bytes, records] = [0, 0];
    const putting: Promise<void>[] = [];
    while (bytes < wantedBytes) {
      const rows: PutRow[] = [];
      for (let batch = 0; batch < PUT_BYTES && bytes < wantedBytes;) {
        const { key, value } = documentAt(records++, 0);
        const row = { key: Buffer.from(key), value: Buffer.from(value) };
        rows.push(row);
        batch += row.key.length + row.value.length;
        bytes += row.key.length + row.value.length;
      }
      putting.push(target.put(rows));
      if (putting.length >= PUTS_AT_ONCE) await putting.shift();
    }
    await Promise.all(putting);
    await target.finish(1);
    const served = await openFence(db, keys.fence, { epoch: 2, region: 'us-east1' }, 10_000);
    if (served.kind !== 'done') throw new Error(served.message);
    return { bytes, records };
  } finally {
    db.close();
  }
}

/** Of all records, in their order. Nobody writes meanwhile. */
async function digestOf({ library }: FoundationdbPrograms, clusterFile: string): Promise<string> {
  const db = openCluster({ clusterFile, library, tls: null });
  try {
    const hash = createHash('sha256');
    const rules = { prepare: () => undefined, confirm: () => Promise.resolve(), keptFor: null, tooOld: null };
    for (let from: Uint8Array | null = Buffer.alloc(0); from !== null;) {
      const { rows, next } = await readSlice({ db, keys }, rules, { from, to: null, bytes: SLICE_BYTES }, never);
      for (const [key, value] of rows) hash.update(`${key.length} ${value.length} `).update(key).update(value);
      from = next;
    }
    return hash.digest('hex');
  } finally {
    db.close();
  }
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
  const database = {
    kind: 'foundationdb',
    experimental: true,
    cluster_file: clusterFile,
    prefix: PREFIX,
    data_centers: { 'us-central1': 'dc1', 'us-east1': 'dc2' },
    ...(library === null ? {} : { client_library: library }),
  };
  const config = join(folder, 'config.yaml');
  writeFileSync(config, JSON.stringify({ ...backupCommandConfig('bench', 'data', {}), database }));
  return `'${process.execPath}' '${MAIN}' backup ${words} --config '${config}'`;
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce((sum, name) => {
    const found = statSync(join(folder, name));
    return sum + (found.isFile() ? found.size : 0);
  }, 0);
}
