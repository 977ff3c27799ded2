import { arrivedIn, type StoreLook } from '../measure/store.ts';
import type { StoreListed } from '../history/event.ts';
import type { Clock } from '../platform/clock.ts';
import type { BackupGround, Platform, RunContext, StoreObject } from '../platform/platform.ts';
import type { BackupStep } from '../scenario/scenario.ts';
import { untilExited } from './until-exited.ts';

const POLL_MS = 100;
const LIST_MS = 15_000;
const MANIFESTS = 'manifests/';
const RECORDS = 'verify/';

type Awaited = Extract<BackupStep, { readonly do: 'await-backups' }>;

export interface WatchEnv {
  readonly platform: Platform;
  readonly ground: BackupGround;
  readonly context: RunContext;
  readonly clock: Clock;
  /** The engine's program on a machine that makes no backups and has the keys. */
  readonly lister: { readonly pod: string; readonly program: string };
}

/** Looks at what lies in the store, on its disk, and records it. Who makes backups is not asked. */
export class StoreWatch {
  readonly #env: WatchEnv;

  constructor(env: WatchEnv) {
    this.#env = env;
  }

  async record(): Promise<void> {
    this.#env.context.record({ ...(await this.#look()), alone: true });
  }

  /** Until the store holds, or has lost, what the step waits for; what is there is recorded as it changes. */
  async await({ more, verified = 0, damaged = 0, gone = 0, atMostMs }: Awaited, signal: AbortSignal): Promise<void> {
    const { context, clock } = this.#env;
    const limitMs = clock.nowMs() + atMostMs;
    const looks: StoreLook[] = [];
    let listedFor: string | null = null;
    let listed: StoreListed['listed'];
    for (;;) {
      const seen = await this.#look();
      const names = seen.manifests.join();
      const late = clock.nowMs() >= limitMs;
      const may = arrivedIn([...looks, { ...seen, listed: trustingAll(seen) }]);
      const enough = may.trusted >= more && may.verified >= verified && may.damaged >= damaged && may.gone >= gone;
      if ((enough || late) && names !== listedFor) {
        listed = await this.#list(signal);
        if (listed !== undefined) listedFor = names;
      }
      const known = names === listedFor && listed !== undefined ? { ...seen, listed } : seen;
      const done = late || (enough && arrivedIn([...looks, known]).trusted >= more);
      if (done) return context.record({ ...known, awaited: { more, came: arrivedIn([...looks, known]).trusted } });
      if (!isSame(seen, looks.at(-1))) {
        looks.push(seen);
        context.record(seen);
      }
      await clock.sleep(POLL_MS, signal);
    }
  }

  async #look(): Promise<StoreListed> {
    const objects = await this.#env.ground.objects();
    const manifests = objects.filter(({ name }) => name.startsWith(MANIFESTS));
    const records = objects.filter(({ name }) => name.startsWith(RECORDS));
    const found = await Promise.all(records.map(async ({ name }) => [name, await this.#isOk(name)] as const));
    const writtenMs = Object.fromEntries(manifests.map((object) => [object.name, this.#inRunMs(object)]));
    return { kind: 'store', manifests: manifests.map(({ name }) => name), writtenMs, records: Object.fromEntries(found) };
  }

  /** What a record of a verification says; one that is gone again, or cannot be read, says nothing good. */
  async #isOk(name: string): Promise<boolean> {
    const text = await this.#env.ground.read(name).catch(() => null);
    try {
      return (JSON.parse(text?.toString('utf8') ?? '') as { readonly ok?: unknown }).ok === true;
    } catch {
      return false;
    }
  }

  #inRunMs({ writtenWallMs }: StoreObject): number {
    const { context, clock } = this.#env;
    return Math.round(context.nowMs() - (Date.parse(clock.wall()) - writtenWallMs));
  }

  /** undefined: nobody could tell. */
  async #list(signal: AbortSignal): Promise<StoreListed['listed']> {
    const { platform, lister } = this.#env;
    const program = platform.runInPod(lister.pod, lister.program, ['backup', 'list', '--json']);
    let listed: StoreListed['listed'];
    program.onText((line) => (listed ??= decodeList(line)));
    await untilExited(program, AbortSignal.any([signal, AbortSignal.timeout(LIST_MS)]));
    signal.throwIfAborted();
    return listed;
  }
}

function isSame({ manifests, records }: StoreLook, before: StoreLook | undefined): boolean {
  return JSON.stringify([manifests, records]) === JSON.stringify([before?.manifests, before?.records]);
}

/** As if all that lies there were to be trusted: whether it is worth asking. */
function trustingAll({ manifests }: StoreListed): Readonly<Record<string, null>> {
  return Object.fromEntries(manifests.map((name) => [name.slice(name.lastIndexOf('/') + 1), null]));
}

function decodeList(line: string): StoreListed['listed'] {
  try {
    const rows = JSON.parse(line) as unknown;
    if (!Array.isArray(rows)) return undefined;
    return Object.fromEntries(
      (rows as { readonly backupId?: unknown; readonly problem?: unknown }[]).map(({ backupId, problem }) => [
        typeof backupId === 'string' ? backupId : '',
        problem === null ? null : typeof problem === 'string' ? problem : 'it is not said why',
      ]),
    );
  } catch {
    return undefined;
  }
}
