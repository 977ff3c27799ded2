import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../platform/clock.ts';
import { logFile } from '../../testing/foundationdb-log-file.ts';
import { NO_FENCE, type Fence } from '../fence.ts';
import { keySpaceOf } from '../key-space.ts';
import { FoundationdbLog } from './capture.ts';
import type { CaptureStatus } from './fdbbackup.ts';

const never = new AbortController().signal;
const keys = keySpaceOf('app/');
const MAX_BYTES = 1_000_000;
const SERVED: Fence = { ...NO_FENCE, epoch: 4, servedEpoch: 4, servedBy: 'x' };

/** A capture into a folder, of a database that is where the test says. */
class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'capture-'));
  readonly did: string[] = [];
  nowMs = 1_000_000;
  version = 1000;
  agents = 0;
  fence: Fence = SERVED;
  status: CaptureStatus = { state: 'none', url: null, logEnd: null };
  onSleep: () => void = () => undefined;
  readonly log: FoundationdbLog;

  constructor() {
    const clock: Clock = {
      monotonicMs: () => this.nowMs,
      wall: () => new Date(this.nowMs),
      sleep: async (_ms, signal) => {
        await new Promise((resolve) => setImmediate(resolve));
        this.onSleep();
        signal?.throwIfAborted();
      },
    };
    this.log = new FoundationdbLog({
      folder: this.folder,
      keys,
      backup: {
        status: () => Promise.resolve(this.status),
        start: () => this.#did('start'),
        abort: () => this.#did('abort'),
        abortWords: 'fdbbackup abort',
      },
      startAgent: () => {
        this.did.push('agent');
        return { close: () => this.#did('agent ended') };
      },
      agents: () => Promise.resolve(this.agents),
      fence: () => Promise.resolve({ value: this.fence, version: this.version }),
      maxBytes: MAX_BYTES,
      clock,
      release: () => this.#did('released'),
    });
  }

  #did(what: string): Promise<void> {
    this.did.push(what);
    return Promise.resolve();
  }

  runs(logEnd: number | null = null): void {
    this.status = { state: 'running', url: `file://${this.folder}/backup-1`, logEnd };
  }

  file(begin: number, end: number, suffix = ''): string {
    const place = join(this.folder, 'backup-1', 'logs', '0000', '0000');
    mkdirSync(place, { recursive: true });
    const path = join(place, `log,${begin},${end},${'0'.repeat(32)},4096${suffix}`);
    const mutations = (version: number): object => ({
      version,
      mutations: [{ type: 0, key: Buffer.from('app/data/k'), value: Buffer.from(`${version}`) }],
    });
    writeFileSync(path, logFile([mutations(begin), mutations(end - 1)] as Parameters<typeof logFile>[0], { blockBytes: 4096 }));
    return path;
  }
}

describe('the capture of what FoundationDB changes', () => {
  let world: World;
  beforeEach(() => (world = new World()));
  afterEach(async () => {
    await world.log.close();
    rmSync(world.folder, { recursive: true, force: true });
  });
  const after = async (version: number): Promise<unknown> => {
    const step = await world.log.after(version, 4, never);
    return step.kind === 'captured'
      ? [
          step.captured.begin,
          step.captured.end,
          step.captured.again.map((change) => change.version),
          step.captured.changes.map((change) => change.version),
        ]
      : step.kind;
  };

  it('begins where it certainly logs, of a history that has an epoch', async () => {
    expect(await world.log.begin(never)).to.match(/beginning/);
    expect(world.did).to.deep.equal(['start', 'agent']);
    world.runs();
    for (const fence of [NO_FENCE, { ...SERVED, restored: true }]) {
      world.fence = fence;
      expect(await world.log.begin(never)).to.match(/nobody has served/);
    }
    world.fence = SERVED;
    expect(await world.log.begin(never)).to.deep.equal({ version: 1000, epoch: 4 });
    expect(world.did).to.deep.equal(['start', 'agent']);
  });

  it('gives complete files in the order of versions, throws away those of before, and keeps one until it is stored', async () => {
    world.runs();
    await world.log.begin(never);
    world.version = 5000;
    const old = world.file(500, 900);
    const across = world.file(900, 1100);
    world.file(1100, 1200, '.0.temp');
    world.file(1200, 1300);
    expect(await after(1000)).to.deep.equal([1001, 1099, [900], [1099]]);
    expect([existsSync(old), existsSync(across)], 'why the stream before ended').to.deep.equal([true, true]);
    expect(await after(1000)).to.deep.equal([1001, 1099, [900], [1099]]);
    await world.log.done();
    expect([existsSync(old), existsSync(across)]).to.deep.equal([false, false]);
    expect(await after(1099)).to.equal('waiting');
    world.file(1100, 1200);
    expect(await after(1099)).to.deep.equal([1100, 1199, [], [1100, 1199]]);
    await world.log.done();
    expect(await after(1199)).to.deep.equal([1200, 1299, [], [1200, 1299]]);
  });

  it('is lost where what is missing was written elsewhere, or fdbbackup was ended', async () => {
    world.runs(1100);
    await world.log.begin(never);
    world.version = 5000;
    expect(await after(1099)).to.equal('waiting');
    world.nowMs += 31_000;
    expect(await after(1099), 'nothing after it was written').to.equal('waiting');
    world.nowMs += 31_000;
    world.runs(1101);
    expect(await after(1099)).to.equal('lost');
    world.nowMs += 31_000;
    world.status = { state: 'none', url: null, logEnd: null };
    expect(await after(1099)).to.equal('lost');
  });

  it('is lost where the database is another one, whose versions are of before what is stored', async () => {
    world.runs();
    await world.log.begin(never);
    world.file(900, 1100);
    world.version = 999;
    expect(await after(1000)).to.equal('lost');
  });

  it('is lost where a file is not as it should be: it will never be', async () => {
    world.runs();
    await world.log.begin(never);
    const path = world.file(1001, 1100);
    writeFileSync(path, readFileSync(path).subarray(0, 40));
    const step = await world.log.after(1000, 4, never);
    expect(step.kind === 'lost' && step.why).to.match(/a log file of fdbbackup is not as it should be/);
  });

  it('starts no agent beside the capture of another service', async () => {
    world.status = { state: 'running', url: 'file:///elsewhere/backup-1', logEnd: null };
    for (const ask of [() => world.log.begin(never), () => world.log.after(1000, 4, never)])
      expect(await ask().catch((error: Error) => error.message)).to.match(
        /another service captures this key space, to file:\/\/\/elsewhere/,
      );
    expect(world.did).to.deep.equal([]);
  });

  it('does not begin beside another agent, which would write a part of it elsewhere', async () => {
    world.agents = 1;
    expect(await world.log.begin(never)).to.match(/another backup_agent/);
    expect(world.did).to.deep.equal([]);
    world.agents = 0;
    await world.log.begin(never);
    world.runs();
    world.agents = 2;
    expect(await world.log.begin(never)).to.match(/another backup_agent/);
    world.agents = 1;
    expect(await world.log.begin(never)).to.deep.equal({ version: 1000, epoch: 4 });
  });

  it('says when a version was over, as early as it was seen', async () => {
    world.runs();
    await world.log.begin(never);
    for (const version of [1050, 1200, 1300]) {
      world.version = version;
      world.nowMs += 1000;
      await after(1000);
    }
    world.file(1001, 1151);
    const step = await world.log.after(1000, 4, never);
    expect(step.kind === 'captured' && step.captured.wallMs).to.equal(1_002_000);
  });

  it('is ended before it fills the disk, also while nobody takes what it wrote', async () => {
    world.runs();
    await world.log.begin(never);
    mkdirSync(join(world.folder, 'backup-1'));
    writeFileSync(join(world.folder, 'backup-1', 'half.temp'), Buffer.alloc(MAX_BYTES + 1));
    await new Promise<void>((resolve) => (world.onSleep = () => (world.did.includes('abort') ? resolve() : undefined)));
    const step = await world.log.after(1000, 4, never);
    expect(step.kind === 'lost' && step.why).to.include('more than 1000000 bytes waited');
    world.status = { state: 'none', url: null, logEnd: null };
    world.did.length = 0;
    await world.log.begin(never);
    expect(world.did).to.include('start');
    expect(existsSync(join(world.folder, 'backup-1'))).to.equal(false);
  });

  it('tells how what goes on in the database is ended, and lets the folder go', async () => {
    world.runs();
    await world.log.begin(never);
    expect(await world.log.close()).to.include('fdbbackup abort');
    expect(world.did.slice(-2)).to.deep.equal(['agent ended', 'released']);
  });
});
