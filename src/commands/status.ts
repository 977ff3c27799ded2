import type { LoadedConfig } from '../config/load.ts';
import { controllerStatusShape, type ControllerStatus } from '../health/controller-status.ts';
import { voteLifeMs } from '../health/vote.ts';
import { HttpsClient, parseJson } from '../platform/https-client.ts';
import { loadCredentials } from '../platform/tls.ts';
import { entriesText, UNKNOWN_LAG_MS } from '../replication/lag.ts';
import { databaseStatusShape, type DatabaseStatus } from '../server/control-messages.ts';
import { refusalShape } from './controllers.ts';
import { EXIT, type World } from './world.ts';

const ASK_MS = 1500;

/** What every controller and database said, null where it did not answer. */
export interface StatusDocument {
  readonly state: string;
  readonly primary: string | null;
  readonly epoch: number;
  readonly controllers: Readonly<Record<string, ControllerStatus | null>>;
  readonly databases: Readonly<Record<string, DatabaseStatus | null>>;
  /** Of each region whose database answered that it has no status now: why. */
  readonly refusals: Readonly<Record<string, string>>;
}

export async function showStatus(loaded: LoadedConfig, json: boolean, world: World): Promise<number> {
  const document = await gather(loaded, world.signal);
  world.out(json ? `${JSON.stringify(document)}\n` : table(document, voteLifeMs(loaded.config.policy)));
  if (Object.values(document.controllers).every((answer) => answer === null)) return EXIT.undecided;
  return document.state === 'Normal' ? EXIT.ok : EXIT.failed;
}

async function gather({ config, folder }: LoadedConfig, signal: AbortSignal): Promise<StatusDocument> {
  const client = new HttpsClient(loadCredentials(config.tls, folder));
  const ask = async (url: string): Promise<unknown> => {
    const result = await client.call(`${url}/v1/status`, { timeoutMs: ASK_MS, signal });
    return result.kind === 'reply' ? parseJson(result.body) : undefined;
  };
  try {
    const answers = await Promise.all(
      Object.entries(config.regions).map(async ([region, urls]) => {
        const [controllers, database] = await Promise.all([Promise.all(urls.controller.map(ask)), ask(urls.database)]);
        return {
          region,
          controller: whoSpeaks(controllers),
          database: databaseStatusShape.safeParse(database).data ?? null,
          refusal: refusalShape.safeParse(database).data?.error,
        };
      }),
    );
    const controllers = Object.fromEntries(answers.map(({ region, controller }) => [region, controller]));
    const databases = Object.fromEntries(answers.map(({ region, database }) => [region, database]));
    const refusals = Object.fromEntries(
      answers.flatMap(({ region, refusal }) => (refusal === undefined ? [] : [[region, `${refusal.code}: ${refusal.message}`]])),
    );
    const view = viewOf(controllers);
    return { state: view?.state ?? 'unknown', primary: view?.primary ?? null, epoch: view?.epoch ?? 0, controllers, databases, refusals };
  } finally {
    client.close();
  }
}

/** The leader decides, so its view comes first; else that of who knows the highest epoch. */
function viewOf(controllers: StatusDocument['controllers']): ControllerStatus | null {
  const views = Object.values(controllers).flatMap((answer) => answer ?? []);
  return views.find(({ leads }) => leads) ?? views.toSorted((a, b) => b.epoch - a.epoch)[0] ?? null;
}

/** Of a region's controllers the one that leads, else any that answers. */
function whoSpeaks(answers: readonly unknown[]): ControllerStatus | null {
  const said = answers.flatMap((answer) => controllerStatusShape.safeParse(answer).data ?? []);
  return said.find(({ leads }) => leads) ?? said[0] ?? null;
}

function table({ state, primary, epoch, controllers, databases, refusals }: StatusDocument, freshMs: number): string {
  const leader = Object.values(controllers).find((answer) => answer?.leads) ?? null;
  const rows = Object.entries(databases).map(([region, database]) => [
    region,
    database !== null ? database.role : refusals[region] === undefined ? 'no answer' : 'refuses',
    database === null ? '-' : `${database.lastEpoch}:${database.lastIndex}`,
    database === null ? '-' : lagOf(region, databases[primary ?? ''] ?? null),
    controllers[region] === null || controllers[region] === undefined ? 'no answer' : region === leader?.region ? 'leads' : 'follows',
    leader?.observers[region] === undefined ? '-' : verdictOf(leader.observers[region], freshMs),
  ]);
  const view = viewOf(controllers);
  const reasons = [
    ...(view === null || view.leads ? [] : ['no controller that answers leads: no failover begins, and no order is taken']),
    ...(view?.reasons ?? []),
    ...Object.entries(refusals).map(([region, refusal]) => `database of ${region}: ${refusal}`),
  ];
  const lines = [
    `state ${state}   primary ${primary ?? 'none'}   epoch ${epoch}   step ${leader?.step ?? '-'}`,
    ...runLines(leader),
    '',
    ...columns([['region', 'database', 'log end', 'lag', 'controller', 'sees primary'], ...rows]),
    ...(reasons.length === 0 ? [] : ['', ...reasons.map((reason) => `! ${reason}`)]),
  ];
  return `${lines.join('\n')}\n`;
}

function runLines(leader: ControllerStatus | null): readonly string[] {
  const { paused, run, awaiting } = leader ?? {};
  const until = paused?.until == null ? '' : ` until ${paused.until}`;
  return [
    ...(paused === undefined
      ? []
      : [`paused by ${paused.by}${paused.why === '' ? '' : `: ${paused.why}`} (since ${paused.since}${until})`]),
    ...(run === undefined ? [] : [`${run.tier} ${run.runId}: ${run.from} → ${run.to ?? run.target ?? '?'}`]),
    ...(awaiting === undefined ? [] : [`waits for approval (coditect-dr approve): ${awaiting.reason}`]),
  ];
}

/** A vote that is too old to count is told with its age: it says nothing of now. */
function verdictOf({ verdict, ageMs }: ControllerStatus['observers'][string], freshMs: number): string {
  return ageMs <= freshMs ? verdict : `${verdict}, ${Math.round(ageMs / 1000)} s ago`;
}

function lagOf(region: string, primary: DatabaseStatus | null): string {
  const standby = primary?.standbys[region];
  if (standby === undefined) return '-';
  const lag = standby.lagMs < UNKNOWN_LAG_MS ? `${Math.round(standby.lagMs)} ms` : 'an unknown lag';
  return `${entriesText(standby.lagEntries)}, ${lag}${standby.inSync ? ', in sync' : ''}`;
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}
