import { randomInt } from 'node:crypto';
import { cpus, release, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { LogWatch } from '../engine/log-watch.ts';
import { regionOfAddress } from '../engine/endpoints.ts';
import { EffectProbes } from '../fault/effect-probe.ts';
import { runGameday } from '../gameday.ts';
import { EVENT_SCHEMA, OWN_ENGINE, type RunStarted } from '../history/event.ts';
import { Recorder } from '../history/recorder.ts';
import { systemClock } from '../platform/clock.ts';
import { EXIT, HarnessError } from '../platform/errors.ts';
import { needFoundationdb } from '../platform/foundationdb-programs.ts';
import { onStopWanted, prepareSandbox } from '../platform/local/lifeline.ts';
import { machineProc } from '../platform/local/sandbox.ts';
import { run } from '../platform/process.ts';
import { revision } from '../platform/revision.ts';
import type { RunContext } from '../platform/platform.ts';
import { vantagesOf } from '../workload/clients.ts';
import { liveView } from '../report/live/live-view.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import { PACKAGE_ROOT } from './places.ts';
import { openSystem, type OpenSystem } from './system.ts';

export interface PlayOptions {
  readonly loaded: LoadedScenario;
  /** Exists; events.ndjson does not. */
  readonly runFolder: string;
  readonly seed: number;
  /** The engine's program; ours when undefined. */
  readonly engine?: string | undefined;
  readonly live: NodeJS.WriteStream;
  /** On which a system is started for the run. */
  readonly platform: 'local' | 'kubernetes';
  /** A system that is there already, in clusters or by its addresses: then there is no sandbox of the run's own. */
  readonly systemFile?: string | undefined;
}

/** Plays one scenario inside a sandbox that is there already, and records it. Judges nothing. Returns 0, or 130 when interrupted. */
export async function play({ loaded, runFolder, seed, engine, live, platform: kind, systemFile }: PlayOptions): Promise<number> {
  const stop = new AbortController();
  const interrupt = (why: string): void => stop.abort(new HarnessError('timeout', `interrupted (${why})`));
  if (systemFile === undefined) {
    onStopWanted(interrupt);
    await prepareSandbox();
  } else for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt(signal));
  const versions = await toolVersions(loaded.scenario.database === 'foundationdb' ? needFoundationdb().fdbserver : null);
  const originNs = process.hrtime.bigint();
  const clock = systemClock(originNs);
  const recorder = new Recorder(join(runFolder, 'events.ndjson'), clock);
  const view = liveView(live, process.env, () => clock.nowMs());
  recorder.onEvent((event) => view.onEvent(event));
  const context: RunContext = { nowMs: () => clock.nowMs(), record: (event) => recorder.record(event), runFolder, seed };
  let system: OpenSystem | undefined;
  try {
    system = await openSystem(loaded, { platform: kind, systemFile, engine }, context, stop.signal);
    const { platform } = system;
    const probes = new EffectProbes({ platform, context, clock });
    recorder.onEvent((event) => probes.onEvent(event));
    const logs = new LogWatch();
    recorder.onEvent((event) => logs.onEvent(event));
    recorder.record({
      ...started(loaded, { runFolder, seed, originNs }),
      versions: { ...versions, ...engineVersion(engine, systemFile) },
      platform: platform.kind,
      ...(platform.ownService === undefined ? {} : { ledger: 'templates' }),
      regionOfAddress: platform.ownService === undefined ? regionOfAddress(platform.pods()) : {},
      ...(platform.primaryRegion === undefined ? {} : { primaryRegion: platform.primaryRegion }),
      vantages: vantagesOf(platform),
    });
    await runGameday(loaded.scenario, {
      platform,
      context,
      clock,
      originNs,
      faults: loaded.faults,
      logs,
      openProbe: (fault, plan, lastsMs) => probes.open(fault, plan, lastsMs),
      machineProc: systemFile === undefined ? machineProc() : '/proc',
      signal: stop.signal,
    });
  } finally {
    await system?.close();
    recorder.close();
    view.close();
  }
  return stop.signal.aborted ? EXIT.interrupted : EXIT.pass;
}

/** Which revision is known of the engine of this package only. */
function engineVersion(engine: string | undefined, systemFile: string | undefined): Readonly<Record<string, string>> {
  if (engine !== undefined) return { engine };
  return systemFile === undefined ? { engine: OWN_ENGINE, revision: revision(PACKAGE_ROOT) } : { engine: `what ${systemFile} describes` };
}

/** A seed for those who gave none; it is recorded, so that the run can be repeated. */
export function anySeed(): number {
  return randomInt(2 ** 31);
}

function started(
  { scenario, file }: LoadedScenario,
  { runFolder, seed, originNs }: { readonly runFolder: string; readonly seed: number; readonly originNs: bigint },
): Omit<RunStarted, 'platform' | 'versions' | 'regionOfAddress' | 'vantages'> {
  return {
    kind: 'run-started',
    schema: EVENT_SCHEMA,
    runId: basename(runFolder),
    originNs: originNs.toString(),
    scenario,
    scenarioFile: file,
    seed,
    machine: { kernel: release(), cpus: cpus().length, node: process.version, user: userInfo().uid === 0 ? 'root' : 'user' },
  };
}

/** What the lab is made of; a tool that is missing shows when the lab needs it. */
async function toolVersions(fdbserver: string | null): Promise<Readonly<Record<string, string>>> {
  const tools: Readonly<Record<string, readonly string[]>> = {
    ...(fdbserver === null ? {} : { [fdbserver]: ['--version'] }),
    etcd: ['--version'],
    knotd: ['--version'],
    unbound: ['-V'],
    nft: ['--version'],
    ip: ['-V'],
  };
  const told = Object.entries(tools).map(async ([tool, args]) => {
    const text = await run(tool, args).catch(() => 'missing');
    return [basename(tool), text.split('\n')[0]?.trim() ?? ''] as const;
  });
  return Object.fromEntries(await Promise.all(told));
}
