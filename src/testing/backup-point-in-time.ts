import { openLmdbReader } from '../database/lmdb-reader.ts';
import { planPointInTime, type PointInTime } from '../backup/log/point-in-time.ts';
import { LogShipper } from '../backup/log/shipper.ts';
import { listBackups } from '../backup/repository/catalog.ts';
import { newEpoch } from '../backup/repository/rewrap.ts';
import { systemClock, type Clock } from '../platform/clock.ts';
import type { LogEnd } from '../replication/epochs.ts';
import { BackupLab, documents } from './backup-lab.ts';

export interface PointInTimeOptions {
  /** Points that are restored, half of the versions' number by time as well. */
  readonly points: number;
  readonly writes: number;
  readonly random: () => number;
  readonly onLine: (line: string) => void;
}

export interface PointInTimeResult {
  readonly versions: number;
  readonly times: number;
  readonly writes: number;
  readonly backups: number;
  readonly epochKeys: number;
  readonly streams: number;
}

type Content = ReadonlyMap<string, string>;
const never = new AbortController().signal;

/**
 * Writes at random, with backups, two programs that ship the log in turns, new primaries and new epoch keys in between, and keeps the state after each write. Then restores versions and times at random: each
 * must be just the state that was. Throws at the first that is not.
 */
export async function runPointInTime({ points, writes, random, onLine }: PointInTimeOptions): Promise<PointInTimeResult> {
  const lab = await BackupLab.open();
  const reader = await openLmdbReader(lab.databaseFolder);
  try {
    const world = await history({ lab, reader, writes, random });
    let times = 0;
    for (let n = 0; n < points; n++) {
      const version = world.first + Math.floor(random() * world.states.length);
      await check(lab, { version }, `at-${n}`, world.states[version - world.first]!);
      if (n % 2 === 0) {
        const timeMs = world.beginMs + Math.floor(random() * (world.endMs - world.beginMs + 60_000));
        const reached = world.known.findLast(({ wallMs }) => wallMs <= timeMs)!;
        await check(lab, { timeMs }, `by-${n}`, world.states[reached.version - world.first]!);
        times++;
      }
      onLine(`${n + 1}/${points}`);
    }
    const repository = await lab.repository();
    const backups = (await listBackups(repository, 'lab')).length;
    const streams = new Set((await lab.names('log/')).map((name) => name.split('/')[2])).size;
    return { versions: points, times, writes, backups, epochKeys: repository.epochs.length, streams };
  } finally {
    await reader.close();
    await lab.close();
  }
}

interface History {
  readonly first: number;
  /** After each write, from version `first` on. */
  readonly states: readonly Content[];
  /** Up to which version the repository had everything when. */
  readonly known: readonly { readonly wallMs: number; readonly version: number }[];
  readonly beginMs: number;
  readonly endMs: number;
}

async function history({
  lab,
  reader,
  writes,
  random,
}: Pick<PointInTimeOptions, 'writes' | 'random'> & {
  readonly lab: BackupLab;
  readonly reader: Awaited<ReturnType<typeof openLmdbReader>>;
}): Promise<History> {
  const beginMs = 1_700_000_000_000;
  let wallMs = beginMs;
  const clock: Clock = { ...systemClock, wall: () => new Date(wallMs) };
  let repository = await lab.repository();
  const anchors = (): Promise<readonly LogEnd[]> => lab.logEnds(repository);
  const shippers = [0, 1].map(
    () => new LogShipper({ repository: () => Promise.resolve(repository), cluster: 'lab', reader, clock, anchors }),
  );
  await lab.write([...documents(0, 30)]);
  await lab.backup({ clock });
  const first = lab.version;
  const states: Content[] = [new Map(lab.model)];
  const known = [{ wallMs, version: first }];
  const tick = async (which: number): Promise<void> => {
    const shipped = await shippers[which]!.tick(never);
    if (shipped.kind === 'shipped' && shipped.head.end > known.at(-1)!.version) known.push({ wallMs, version: shipped.head.end });
  };
  for (let round = 0; states.length <= writes; round++) {
    const count = 1 + Math.floor(random() * 8);
    for (let n = 0; n < count; n++) {
      const key = `doc/${String(Math.floor(random() * 60)).padStart(8, '0')}`;
      const value = random() < 0.3 ? null : `value ${round}.${n} ${'x'.repeat(Math.floor(random() * 200))}`;
      await lab.write([[key, value]], 1 + Math.floor(round / 20));
      states.push(new Map(lab.model));
    }
    wallMs += 1000;
    if (random() < 0.7) await tick(Math.floor(random() * 2));
    wallMs += 1000;
    if (random() < 0.05) {
      await lab.backup({ clock, workers: 1, repository });
      known.push({ wallMs, version: lab.version });
    }
    if (random() < 0.03) {
      await newEpoch(repository, clock.wall(), never);
      repository = await lab.repository();
    }
  }
  wallMs += 1000;
  // The first look of each may only see that it was overtaken, or begin a stream.
  for (let tries = 0; tries < 5; tries++) await tick(0);
  return { first, states, known, beginMs, endMs: wallMs };
}

async function check(lab: BackupLab, point: PointInTime, name: string, expected: Content): Promise<void> {
  const { manifest, log } = await planPointInTime(await lab.repository(), 'lab', point, never);
  const content = await lab.restore(manifest, name, { log, workers: 0 });
  const same = content.size === expected.size && [...content].every(([key, value]) => expected.get(key) === value);
  if (!same) throw new Error(`${JSON.stringify(point)} gave ${content.size} records that are not the ${expected.size} that were there`);
  lab.forget(name);
}
