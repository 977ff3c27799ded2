import { expect } from 'chai';
import fc from 'fast-check';
import { EngineError } from '../../platform/errors.ts';
import { SteppedClock } from '../../platform/testing/stepped-clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Created } from '../pipeline/create.ts';
import type { WriterOutcome } from './configured.ts';
import { nextBackupMs, nextVerificationMs, NOT_TRIED, type StoreView, type Timetable, type Work } from './schedule.ts';
import { runService } from './service.ts';

/** What the programs of a system do with one store, each for so long. */
interface Pace {
  readonly timetable: Timetable;
  readonly programs: number;
  /** When each begins. */
  readonly startsMs: readonly number[];
  /** Of each work by turns, and until a program has the right to write, or knows who has it. */
  readonly backupMs: readonly number[];
  readonly verificationMs: readonly number[];
  readonly acquiringMs: readonly number[];
  /** Fails always, in the end. */
  readonly failing?: Work;
  /** A program ends after each work, and another begins in its place. */
  readonly restarts?: boolean;
}

interface Begun {
  readonly work: Work;
  readonly atMs: number;
  readonly isOtherDue: boolean;
}

const RUNS = 50;
const none = (): undefined => undefined;
const LOG = { info: none, error: none } as unknown as Log;
const CREATED = { manifest: { backupId: 'x', kind: 'full', readVersion: '1', totals: {}, ranges: [] } } as unknown as Created;

/** Services on virtual time, one store and one right to write between them. */
class System {
  readonly begun: Begun[] = [];
  readonly #pace: Pace;
  readonly #clock = new SteppedClock();
  readonly #stop = new AbortController();
  #view: StoreView;
  #holder: number | null = null;
  #turns = 0;

  constructor(pace: Pace, view: StoreView = { newestAtMs: null, newestId: null, verification: null }) {
    this.#pace = pace;
    this.#view = view;
  }

  async run(): Promise<readonly Begun[]> {
    const running = Array.from({ length: this.#pace.programs }, (_, program) => this.#program(program));
    await this.#clock.until(runMs(this.#pace));
    this.#stop.abort(new Error('over'));
    await this.#clock.until(runMs(this.#pace));
    await Promise.allSettled(running);
    return this.begun;
  }

  async #program(program: number): Promise<void> {
    await this.#clock.sleep(this.#pace.startsMs[program]!, this.#stop.signal);
    while (!this.#stop.signal.aborted) {
      const life = new AbortController();
      const after = async (work: Work): Promise<void> => {
        await this.#work(work);
        if (this.#pace.restarts === true) life.abort(new Error('ended'));
      };
      await runService(
        {
          timetable: this.#pace.timetable,
          look: () => Promise.resolve(this.#view),
          whileWriter: async (work) => await this.#whileWriter(program, work),
          create: async () => await after('backup').then(() => CREATED),
          verify: async () => await after('verification'),
          state: { completed: none, failed: none },
          clock: this.#clock,
          log: LOG,
          random: () => 0.5,
        },
        AbortSignal.any([this.#stop.signal, life.signal]),
      ).catch(none);
    }
  }

  async #whileWriter<T>(
    program: number,
    work: (lease: { epoch: string; holder: string; check: () => Promise<void> }, signal: AbortSignal) => Promise<T>,
  ): Promise<WriterOutcome<T>> {
    await this.#clock.sleep(this.#of(this.#pace.acquiringMs), this.#stop.signal);
    if (this.#holder !== null) return { kind: 'busy', holder: `${this.#holder}` };
    this.#holder = program;
    try {
      const value = await work({ epoch: '1', holder: `${program}`, check: () => Promise.resolve() }, this.#stop.signal);
      return { kind: 'done', value };
    } finally {
      this.#holder = null;
    }
  }

  async #work(work: Work): Promise<void> {
    const { timetable, backupMs, verificationMs, failing } = this.#pace;
    const atMs = this.#clock.monotonicMs();
    const otherMs =
      work === 'backup' ? nextVerificationMs(timetable, this.#view, NOT_TRIED) : nextBackupMs(timetable, this.#view, NOT_TRIED, 0.5);
    this.begun.push({ work, atMs, isOtherDue: otherMs <= atMs });
    const { newestId } = this.#view;
    await this.#clock.sleep(this.#of(work === 'backup' ? backupMs : verificationMs), this.#stop.signal);
    if (work === failing) throw new EngineError('object-store-failed', 'this never works');
    const doneMs = this.#clock.monotonicMs();
    this.#view =
      work === 'backup'
        ? { ...this.#view, newestAtMs: doneMs, newestId: `b${this.begun.length}` }
        : { ...this.#view, verification: { backupId: newestId ?? '', atMs: doneMs, ok: true } };
  }

  #of(durationsMs: readonly number[]): number {
    return durationsMs[this.#turns++ % durationsMs.length]!;
  }
}

const durations = (maxMs: number): fc.Arbitrary<readonly number[]> =>
  fc.array(fc.integer({ min: 1, max: maxMs }), { minLength: 1, maxLength: 7 });
const paces: fc.Arbitrary<Pace> = fc
  .record({ intervalMs: fc.integer({ min: 500, max: 300_000 }), verifyPercent: fc.integer({ min: 10, max: 500 }) })
  .map(({ intervalMs, verifyPercent }) => ({ intervalMs, verifyMs: Math.ceil((intervalMs * verifyPercent) / 100) }))
  .chain(({ intervalMs, verifyMs }) =>
    fc.record({
      timetable: fc.record({
        intervalMs: fc.constant(intervalMs),
        jitterMs: fc.integer({ min: 0, max: intervalMs }),
        verifyMs: fc.constant(verifyMs),
        retryMs: fc.constant(5000),
      }),
      programs: fc.integer({ min: 1, max: 3 }),
      startsMs: fc.array(fc.integer({ min: 0, max: intervalMs }), { minLength: 3, maxLength: 3 }),
      backupMs: durations(2 * intervalMs),
      verificationMs: durations(2 * verifyMs),
      acquiringMs: durations(2000),
    }),
  );
/** What may come between: a work of each kind that is under way, one that goes first, and until a turn begins the pauses of who did not have it, or found it done. */
const aroundMs = ({ backupMs, verificationMs }: Pace): number => 2 * (Math.max(...backupMs) + Math.max(...verificationMs)) + 60_000;
const runMs = (pace: Pace): number => 8 * (pace.timetable.intervalMs + pace.timetable.verifyMs! + aroundMs(pace));
/** The longest time without a beginning of that work, from the first program's begin to the end. */
function longestGapMs(pace: Pace, begun: readonly Begun[], work: Work): number {
  const firstMs = Math.min(...pace.startsMs.slice(0, pace.programs));
  const at = [firstMs, ...begun.filter((one) => one.work === work).map(({ atMs }) => atMs), runMs(pace)];
  return Math.max(...at.slice(1).map((ms, n) => ms - at[n]!));
}

describe('turns of backups and verifications, for hours of virtual time', () => {
  it('no work begins twice while the other is due, whatever the intervals and durations, also where programs end and begin', async () => {
    await fc.assert(
      fc.asyncProperty(paces, fc.boolean(), async (pace, restarts) => {
        const begun = await new System({ ...pace, restarts }).run();
        for (const [n, { work, atMs, isOtherDue }] of begun.entries()) {
          const before = begun[n - 1];
          if (isOtherDue && before?.isOtherDue === true && before.work === work)
            throw new Error(`at ${atMs} ${work} again, though the other was due before`);
        }
      }),
      { numRuns: RUNS },
    );
  }).timeout(120_000);

  it('both come on time but for what takes turns with them', async () => {
    await fc.assert(
      fc.asyncProperty(paces, fc.boolean(), async (pace, restarts) => {
        const begun = await new System({ ...pace, restarts }).run();
        const { intervalMs, jitterMs, verifyMs } = pace.timetable;
        expect(longestGapMs(pace, begun, 'backup')).to.be.at.most(intervalMs + jitterMs + aroundMs(pace));
        expect(longestGapMs(pace, begun, 'verification')).to.be.at.most(verifyMs! + aroundMs(pace));
      }),
      { numRuns: RUNS },
    );
  }).timeout(120_000);

  it('backups go on where verifications fail all the time', async () => {
    await fc.assert(
      fc.asyncProperty(paces, async (pace) => {
        const begun = await new System({ ...pace, failing: 'verification' }).run();
        const { intervalMs, jitterMs } = pace.timetable;
        // Each program tries for itself.
        expect(longestGapMs(pace, begun, 'backup')).to.be.at.most(intervalMs + jitterMs + pace.programs * aroundMs(pace));
      }),
      { numRuns: RUNS },
    );
  }).timeout(120_000);

  it('verifications go on where backups fail all the time', async () => {
    await fc.assert(
      fc.asyncProperty(paces, async (pace) => {
        const begun = await new System({ ...pace, failing: 'backup' }, { newestAtMs: 0, newestId: 'b0', verification: null }).run();
        expect(longestGapMs(pace, begun, 'verification')).to.be.at.most(pace.timetable.verifyMs! + pace.programs * aroundMs(pace));
      }),
      { numRuns: RUNS },
    );
  }).timeout(120_000);
});
