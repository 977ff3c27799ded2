import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { systemClock } from '../platform/clock.ts';
import { crashImage, crashMoments, parseTrace, straceArguments, SURVIVALS, type FileEvent } from '../testing/crash-image.ts';
import { DatabaseCluster } from '../testing/database-cluster.ts';
import { ImageChecker } from '../testing/image-checker.ts';
import { REGIONS } from '../testing/test-config.ts';

const [PRIMARY] = REGIONS;
/** Every sync takes so much longer: what is acknowledged before its sync is then acknowledged measurably before it. */
const SYNC_DELAY = 'delay_enter=3000';
/** The acknowledgement is timed where it arrives, in whole milliseconds. */
const CLOCK_STEP_US = 1000;

interface Recording {
  readonly events: readonly FileEvent[];
  readonly acknowledged: readonly { readonly key: string; readonly value: string; readonly atUs: number }[];
}

/** Records what a real database process does to its file while it acknowledges writes, one after the other and many at once. */
async function record(cluster: DatabaseCluster, inject: readonly string[]): Promise<Recording> {
  const traces = join(cluster.folder, 'trace');
  mkdirSync(traces);
  const file = join(cluster.folder, PRIMARY, 'data', 'db', 'data.mdb');
  cluster.startProgram('database', PRIMARY, ['strace', ...straceArguments(file, join(traces, 't'), inject)]);
  await cluster.until(PRIMARY, 'writable', ({ writable }) => writable);
  const acknowledged: { key: string; value: string; atUs: number }[] = [];
  const put = async (key: string, value: string): Promise<void> => {
    const answer = await cluster.put(PRIMARY, key, value);
    if (answer?.status === 200) acknowledged.push({ key, value, atUs: Date.now() * 1000 + CLOCK_STEP_US });
  };
  for (let i = 0; i < 8; i++) await put(`one-${i}`, `value ${i} `.repeat(i * 60));
  for (let round = 0; round < 2; round++) await Promise.all(Array.from({ length: 8 }, (_, i) => put(`many-${round}-${i}`, `value ${i}`)));
  await cluster.end('database', PRIMARY, 'SIGTERM');
  return { events: parseTrace(await wholeTraces(traces)), acknowledged };
}

/** strace writes its last lines a moment after the program has ended. */
async function wholeTraces(folder: string): Promise<readonly string[]> {
  for (let tries = 0; tries < 1200; tries++) {
    const threads = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    if (threads.every((text) => /\+\+\+ (exited|killed)/.test(text))) return threads;
    await systemClock.sleep(50);
  }
  throw new Error('strace did not end');
}

/** Every image at every moment; stops at the first in which something acknowledged is missing. */
async function firstLoss(
  folder: string,
  { events, acknowledged }: Recording,
): Promise<{ readonly loss: string | null; readonly images: number }> {
  const checker = new ImageChecker(folder);
  const random = seeded(20_261_122);
  let images = 0;
  try {
    for (const atUs of crashMoments(events)) {
      const before = new Map(acknowledged.filter((write) => write.atUs < atUs).map(({ key, value }) => [key, value]));
      for (const survival of SURVIVALS) {
        const image = crashImage(events, atUs, survival, random);
        // Before the first acknowledgement the file may not even be one yet: nobody has been promised anything.
        if (before.size === 0) continue;
        images++;
        const wrong = await checker.check(image, before);
        if (wrong !== null) return { loss: `${survival}, ${atUs - (events[0]?.startUs ?? 0)} µs after the first write: ${wrong}`, images };
      }
    }
    return { loss: null, images };
  } finally {
    await checker.stop();
  }
}

/** mulberry32: the same images in every run of the same recording. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('what the disk holds when power is lost at any moment', () => {
  let cluster: DatabaseCluster;
  beforeEach(async () => (cluster = await DatabaseCluster.start('async')));
  afterEach(async () => cluster.stop());

  it('has every acknowledged write, whatever became of what was not synced yet', async () => {
    const recording = await record(cluster, [`fdatasync,fsync:${SYNC_DELAY}`, `pwrite64:${SYNC_DELAY}`]);
    expect(recording.acknowledged).to.have.length(24);
    expect(recording.events.filter(({ kind }) => kind === 'sync').length).to.be.greaterThan(10);
    const { loss, images } = await firstLoss(cluster.folder, recording);
    expect(loss).to.equal(null);
    expect(images).to.be.greaterThan(100);
  });

  it('lacks acknowledged writes where the same program believes that it synced and did not: this test can fail', async () => {
    const recording = await record(cluster, ['fdatasync,fsync,msync:retval=0']);
    expect(recording.acknowledged).to.have.length(24);
    expect(recording.events.filter(({ kind }) => kind === 'sync')).to.have.length(0);
    const { loss } = await firstLoss(cluster.folder, recording);
    expect(loss).to.be.a('string');
  });
});
