import type { BackupOrdered } from '../history/event.ts';
import { backupIdOf } from '../measure/backups.ts';
import type { Clock } from '../platform/clock.ts';
import { HarnessError } from '../platform/errors.ts';
import type { BackupGround, Platform, PodProgram, RunContext } from '../platform/platform.ts';
import { damageLab } from './lab-damage.ts';
import { damageObject } from './object-damage.ts';
import type { BackupStep, DiskDamage, OtherDamage } from '../scenario/scenario.ts';
import { OBJECT_DAMAGE } from '../scenario/scenario.ts';
import { decodeCopy } from './observe.ts';
import type { Operator } from './operator.ts';
import { StoreWatch } from './store-watch.ts';
import { untilExited } from './until-exited.ts';

const PROGRAM = '/run/pod/bin/coditect-dr';
const SAID_CHARS = 4000;
const POLL_MS = 100;
const INIT_MS = 20_000;
const SERVE_MS = 20_000;
/** A new cluster of FoundationDB has all its copies after 30 to 90 s. */
const NEW_DATABASE_MS = 180_000;
const EXPORT_TIMEOUT_MS = 10_000;
const MANIFESTS = 'manifests/';

export interface HandsEnv {
  readonly platform: Platform;
  readonly context: RunContext;
  readonly clock: Clock;
  readonly operator: Operator;
}

type OrderStep = Extract<BackupStep, { readonly do: 'backup' }>;
type RestoreStep = Extract<BackupStep, { readonly do: 'restore' }>;

/**
 * The operator's hands on backups: orders them with the engine's own command line, damages what they rely on, reads restored copies. Records
 * all of it and judges nothing. One per run; close() ends what still goes on.
 */
export class BackupHands {
  readonly #env: HandsEnv;
  readonly #ground: BackupGround;
  /** Of each finished backup that has a name: its id, and the objects that came with it. */
  readonly #made = new Map<string, { readonly id: string | null; readonly added: BackupOrdered['added'] }>();
  /** What was in their manifests. */
  readonly #kept = new Map<string, Uint8Array>();
  readonly #marks = new Map<string, number>();
  readonly #background = new Map<string, Promise<void>>();
  readonly #running = new Set<PodProgram>();
  readonly #watch: StoreWatch;

  constructor(env: HandsEnv) {
    if (env.platform.backups === undefined) throw new HarnessError('internal', 'this system has no backups');
    this.#env = env;
    this.#ground = env.platform.backups;
    this.#watch = new StoreWatch({ ...env, ground: this.#ground, lister: { pod: this.#podOf('restore', null), program: PROGRAM } });
  }

  /** Makes the repository. Throws HarnessError `lab-failed` when that does not work. */
  async init(signal: AbortSignal): Promise<void> {
    const done = await this.#order({ args: ['init'], pod: this.#podBeside(null), name: null, atMostMs: INIT_MS }, signal);
    if (done.exitCode !== 0) throw new HarnessError('lab-failed', `the repository of the backups could not be made: ${done.said.trim()}`);
  }

  async order(step: OrderStep, signal: AbortSignal): Promise<void> {
    const { name, atMostMs } = step;
    const working = this.#order({ args: this.#resolved(step.args), pod: this.#podBeside(step.region), name, atMostMs }, signal).then(
      async (done) => {
        if (name === null) return;
        this.#made.set(name, { id: backupIdOf(done), added: done.added });
        for (const { name: object } of done.added)
          if (object.startsWith(MANIFESTS)) this.#kept.set(object, await this.#ground.read(object));
      },
    );
    if (!step.background || name === null) return await working;
    working.catch(() => undefined); // whoever awaits it gets the rejection
    this.#background.set(name, working);
  }

  async awaitOne(name: string, atMostMs: number, signal: AbortSignal): Promise<void> {
    const { clock, context } = this.#env;
    const late = clock.sleep(atMostMs, signal).then(() => 'late' as const);
    if ((await Promise.race([this.#background.get(name), late])) === 'late')
      context.record({ kind: 'note', message: `backup ${name} was not done within ${atMostMs} ms; going on` });
  }

  async awaitMore(step: Extract<BackupStep, { readonly do: 'await-backups' }>, signal: AbortSignal): Promise<void> {
    await this.#watch.await(step, signal);
  }

  /** What lies in the store now, and since when. */
  async lookAtStore(): Promise<void> {
    await this.#watch.record();
  }

  mark(name: string): void {
    const { clock, context } = this.#env;
    const timeMs = Date.parse(clock.wall());
    this.#marks.set(name, timeMs);
    context.record({ kind: 'mark', name, timeMs });
  }

  /** Restores, and reads the copy if the engine says that there is one. A `live` restore is read with its region at the end of the run. */
  async restore(step: RestoreStep, signal: AbortSignal): Promise<void> {
    const args = this.#resolved(step.args);
    const { name, atMostMs } = step;
    if (step.live) {
      const pod = this.#podOf('db', step.region);
      await this.#env.platform.newDatabase?.(AbortSignal.any([signal, AbortSignal.timeout(NEW_DATABASE_MS)]));
      await this.#order({ args: ['restore', ...args, '--into', step.region ?? ''], pod, name, atMostMs }, signal);
      return;
    }
    const copy = await this.#ground.newCopy(name, step.offlineKey);
    const words = ['restore', ...args, '--into', copy.region, '--config', copy.config];
    const { exitCode } = await this.#order({ args: words, pod: copy.pod, name, atMostMs }, signal);
    if (exitCode === 0) await this.#readCopy(name, copy, signal);
  }

  async damage({ how, object, of, region = null }: Extract<BackupStep, { readonly do: 'damage' }>): Promise<void> {
    const { context, platform } = this.#env;
    const kind = OBJECT_DAMAGE.find((one) => one === how);
    if (kind === undefined)
      return context.record(await damageLab(how as DiskDamage | OtherDamage, { platform, ground: this.#ground, region }));
    const added = this.#made.get(of ?? '')?.added ?? [];
    context.record(await damageObject(this.#ground, { how: kind, kind: object ?? '', added, kept: this.#kept, seed: context.seed }));
  }

  /** Ends what still runs. Never rejects. */
  async close(): Promise<void> {
    for (const program of this.#running) program.kill();
    await Promise.allSettled([...this.#background.values(), ...[...this.#running].map((program) => program.exited)]);
  }

  async #readCopy(name: string, { pod, config, url }: { pod: string; config: string; url: string }, signal: AbortSignal): Promise<void> {
    const { platform, context, clock, operator } = this.#env;
    const program = platform.runInPod(pod, PROGRAM, ['database', '--config', config]);
    this.#running.add(program);
    let ended = false;
    void program.exited.then(() => (ended = true));
    const limitMs = clock.nowMs() + SERVE_MS;
    try {
      for (;;) {
        const { status, body } = await operator.get(`${url}/v1/export`, EXPORT_TIMEOUT_MS);
        const { ok, error, entries, bytes } = decodeCopy(status, body);
        if (ok || ended || clock.nowMs() >= limitMs) {
          const why =
            ended && !ok ? { error: `the database of the copy ended; see the log of pod ${pod}` } : error === undefined ? {} : { error };
          return context.record({ kind: 'copy', name, ok, ...why, ...(entries === undefined ? {} : { entries, bytes: bytes ?? 0 }) });
        }
        await clock.sleep(POLL_MS, signal);
      }
    } finally {
      program.kill();
      await program.exited;
      this.#running.delete(program);
    }
  }

  async #order(
    {
      args,
      pod,
      name,
      atMostMs,
    }: { readonly args: readonly string[]; readonly pod: string; readonly name: string | null; readonly atMostMs: number },
    signal: AbortSignal,
  ): Promise<BackupOrdered> {
    const { platform, context } = this.#env;
    const before = new Set((await this.#ground.objects()).map((object) => object.name));
    const givenMs = context.nowMs();
    const program = platform.runInPod(pod, PROGRAM, ['backup', ...args, '--json']);
    this.#running.add(program);
    let answer: BackupOrdered['answer'] = null;
    let said = '';
    program.onMessage((message) => (answer = message as BackupOrdered['answer']));
    program.onText((line) => (said = `${said}${line}\n`.slice(-SAID_CHARS)));
    const limit = AbortSignal.any([signal, AbortSignal.timeout(atMostMs)]);
    const { code } = await untilExited(program, limit);
    const endedMs = context.nowMs();
    this.#running.delete(program);
    const added = (await this.#ground.objects()).flatMap((object) =>
      before.has(object.name) ? [] : [{ name: object.name, bytes: object.bytes }],
    );
    const done: BackupOrdered = {
      kind: 'backup-order',
      name,
      pod,
      region: this.#regionOf(pod),
      args,
      givenMs,
      endedMs,
      exitCode: limit.aborted ? null : code,
      answer,
      said,
      added,
    };
    context.record(done);
    signal.throwIfAborted();
    return done;
  }

  /** `@NAME` is a backup's id, or after `--to-time` a mark's time. */
  #resolved(args: readonly string[]): readonly string[] {
    return args.map((word, index) => {
      if (!word.startsWith('@')) return word;
      const name = word.slice(1);
      const timeMs = args[index - 1] === '--to-time' ? this.#marks.get(name) : undefined;
      if (timeMs !== undefined) return new Date(timeMs).toISOString();
      const id = this.#made.get(name)?.id ?? null;
      if (id === null) throw new HarnessError('lab-failed', `there is no backup ${name}: the step that was to make it made none`);
      return id;
    });
  }

  #regionOf(pod: string): string {
    return this.#env.platform.pods().find(({ name }) => name === pod)?.region ?? '';
  }

  #podBeside(region: string | null): string {
    return this.#podOf('backup', region);
  }

  #podOf(app: string, region: string | null): string {
    const pod = this.#env.platform.pods().find((one) => one.labels['app'] === app && (region === null || one.region === region));
    if (pod === undefined) throw new HarnessError('bad-input', `there is no pod ${app} in region ${region}`);
    return pod.name;
  }
}
