import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '../platform/clock.ts';
import { findFoundationdb, FoundationdbCluster, type FoundationdbPrograms } from './foundationdb-cluster.ts';
import { WITH_PARENT } from './with-parent.ts';

/** Agents tell of themselves every 40 s; a test has less time. */
const TELLS_SOON = '--knob_backup_status_delay=2';
const TURN_MS = 1000;
const TURNS = 60;

export interface PairTools extends FoundationdbPrograms {
  readonly fdbdr: string;
  readonly drAgent: string;
}

/** The programs of a pair, which are beside fdbserver; a string says what is missing. */
export function findPairTools(): PairTools | string {
  const found = findFoundationdb();
  if (typeof found === 'string') return found;
  const beside = (...names: readonly string[]): string | undefined =>
    names.map((name) => join(dirname(found.fdbserver), name)).find((path) => existsSync(path));
  const [fdbdr, drAgent] = [beside('fdbdr', '../bin/fdbdr'), beside('dr_agent', '../lib/foundationdb/backup_agent/dr_agent')];
  if (fdbdr === undefined) return 'no fdbdr';
  return drAgent === undefined ? 'no dr_agent' : { ...found, fdbdr, drAgent };
}

/** Two real clusters of one fdbserver each, and an agent each way once they are wanted. The owner calls `stop`. */
export class FoundationdbPair {
  readonly east: FoundationdbCluster;
  readonly west: FoundationdbCluster;
  readonly #tools: PairTools;
  readonly #logs: string;
  #agents: ChildProcess[] = [];

  private constructor(tools: PairTools, east: FoundationdbCluster, west: FoundationdbCluster) {
    this.#tools = tools;
    this.#logs = mkdtempSync(join(tmpdir(), 'fdb-pair-'));
    this.east = east;
    this.west = west;
  }

  static async start(tools: PairTools): Promise<FoundationdbPair> {
    const started = await Promise.allSettled([FoundationdbCluster.start(tools, 'single'), FoundationdbCluster.start(tools, 'single')]);
    const [east, west] = started.map((one) => (one.status === 'fulfilled' ? one.value : null));
    if (east && west) return new FoundationdbPair(tools, east, west);
    await Promise.all([east?.stop(), west?.stop()]);
    throw new Error('two clusters did not start', { cause: started });
  }

  startAgents(): void {
    const [east, west] = [this.east.clusterFile, this.west.clusterFile];
    for (const [from, to] of [
      [east, west],
      [west, east],
    ] as const)
      this.#agents.push(this.#spawn(this.#tools.drAgent, '-s', from, '-d', to, '--logdir', this.#logs, TELLS_SOON));
  }

  signalAgents(signal: NodeJS.Signals): void {
    for (const agent of this.#agents) agent.kill(signal);
  }

  /** A switch to the west that somebody began by hand. */
  beginSwitch(): ChildProcess {
    return this.#spawn(this.#tools.fdbdr, 'switch', '-s', this.east.clusterFile, '-d', this.west.clusterFile);
  }

  /**
   * One that was killed between the end of the one copy and the begin of the other: it and the agents run in turns, so that it cannot go on from there.
   * @param hasStopped whether the copy in the west has ended
   */
  async killSwitchAtWidest(hasStopped: () => Promise<boolean>): Promise<void> {
    this.signalAgents('SIGSTOP');
    const begun = this.beginSwitch();
    try {
      for (let turn = 0; turn < TURNS && begun.exitCode === null; turn++) {
        await systemClock.sleep(TURN_MS);
        begun.kill('SIGSTOP');
        this.signalAgents('SIGCONT');
        await systemClock.sleep(TURN_MS);
        this.signalAgents('SIGSTOP');
        if (await hasStopped()) return;
        begun.kill('SIGCONT');
      }
      throw new Error('the copy did not end, or the switch did');
    } finally {
      begun.kill('SIGKILL');
      if (begun.exitCode === null && begun.signalCode === null) await once(begun, 'exit');
      this.signalAgents('SIGCONT');
    }
  }

  #spawn(program: string, ...args: readonly string[]): ChildProcess {
    return spawn('setpriv', [...WITH_PARENT, program, ...args], { stdio: 'ignore' });
  }

  async stop(): Promise<void> {
    this.signalAgents('SIGKILL');
    for (const agent of this.#agents) if (agent.exitCode === null && agent.signalCode === null) await once(agent, 'exit');
    await Promise.all([this.east.stop(), this.west.stop()]);
    rmSync(this.#logs, { recursive: true, force: true });
  }
}
