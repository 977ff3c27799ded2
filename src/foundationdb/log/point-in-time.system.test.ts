import { expect } from 'chai';
import type { Database } from 'foundationdb';
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LogWindow } from '../../backup/log/describe-log.ts';
import { EXIT } from '../../commands/world.ts';
import { contentIn, done, fill, nameOf } from '../../testing/foundationdb-backups.ts';
import { CaptureLab } from '../../testing/foundationdb-capture-lab.ts';
import { findFoundationdb } from '../../testing/foundationdb-cluster.ts';
import { openCluster } from '../client.ts';
import { writeKey } from '../data.ts';
import { openFence } from '../fence.ts';
import { afterPrefix, dataKey, keySpaceOf } from '../key-space.ts';
import { transact } from '../transaction.ts';

const found = findFoundationdb();
const missing =
  typeof found === 'string'
    ? found
    : ['fdbbackup', 'backup_agent'].filter((name) => !existsSync(join(dirname(found.fdbserver), name))).map((name) => `no ${name}`)[0];
const PREFIX = 'live/';
const LIMIT_MS = 10_000;
/** Each has the records whose number has its own remainder. */
const WRITERS = 4;
const MARKER = 'nobody may read this in the store';
const keys = keySpaceOf(PREFIX);

describe(`restores of FoundationDB to a point in time${missing === undefined ? '' : `: skipped: ${missing}`}`, function () {
  this.timeout(300_000);
  let lab: CaptureLab | undefined;
  let db: Database;
  let base: { readonly version: number; readonly content: ReadonlyMap<string, string> };
  /** What was done after it, with the version of each: of one version several, by writers that have no key in common. */
  const changes: { readonly version: number; readonly apply: (content: Map<string, string>) => void }[] = [];
  let window: LogWindow;

  const here = (): CaptureLab => lab!;
  const stateAt = (version: number): ReadonlyMap<string, string> => {
    const content = new Map(base.content);
    for (const change of changes.toSorted((a, b) => a.version - b.version)) if (change.version <= version) change.apply(content);
    return content;
  };
  const put = async (epoch: number, key: string, value: string | null): Promise<void> => {
    const outcome = await writeKey({ db, keys }, { epoch, region: 'us-east1' }, key, value, LIMIT_MS);
    expect(done(outcome).kind).to.equal('allowed');
    const { version } = outcome as { readonly version: number };
    changes.push({ version, apply: (content) => void (value === null ? content.delete(key) : content.set(key, value)) });
  };
  const writer = async (own: number): Promise<void> => {
    for (let n = own; n < 200; n += WRITERS)
      await put(4, n % 3 === 0 ? `new/${own}/${n % 40}` : nameOf((n * 13 * WRITERS + own) % 500), n % 5 === 4 ? null : `${MARKER} ${n}`);
  };
  const clear = async (from: Buffer, to: Buffer): Promise<number> => {
    const outcome = await transact(
      db,
      (transaction) => {
        transaction.clearRange(from, to);
        return Promise.resolve({ commit: true, value: null });
      },
      { timeoutMs: LIMIT_MS },
    );
    done(outcome);
    return (outcome as { readonly version: number }).version;
  };
  const serve = async (epoch: number): Promise<void> => void done(await openFence(db, keys.fence, { epoch, region: 'us-east1' }, LIMIT_MS));
  const restoredTo = async (version: number, prefix: string): Promise<ReadonlyMap<string, string>> => {
    const said = await here().done(['restore', 'latest', '--to-version', String(version), '--into', 'us-east1'], prefix);
    expect(said).to.match(/compared both ways \(.*\): nothing missing, nothing extra/);
    return await contentIn({ db, keys: keySpaceOf(prefix) });
  };

  /** A backup, then changes of every kind, by two who served one after the other and by somebody past them, all stored. */
  before(async function () {
    if (typeof found === 'string' || missing !== undefined) return this.skip();
    lab = await CaptureLab.start(found, PREFIX);
    db = openCluster({ clusterFile: lab.cluster.clusterFile, library: found.library, tls: null });
    const { content } = await fill(db, PREFIX, { records: 500, by: { epoch: 4, region: 'us-east1' } });
    await lab.done(['init']);
    lab.startService();
    await lab.untilTold('backup_log_new_stream', 0);
    await lab.done(['create', '--no-lease']);
    const [made] = JSON.parse(await lab.done(['list', '--json'])) as { readonly version: string }[];
    base = { version: Number(made!.version), content };
    await Promise.all(Array.from({ length: WRITERS }, (_, n) => writer(n)));
    await serve(5);
    await put(5, 'large', MARKER.repeat(1500));
    const inRange = (key: string): boolean => key >= nameOf(100) && key < nameOf(200);
    const cleared = await clear(dataKey(keys, nameOf(100)), dataKey(keys, nameOf(200)));
    changes.push({ version: cleared, apply: (now) => [...now.keys()].filter(inRange).forEach((key) => now.delete(key)) });
    await put(5, nameOf(150), 'is there again');
    await put(5, 'last', MARKER);
    // Whoever empties the key space, or restores into it, begins another history.
    const from = lab.lines.length;
    const emptied = await clear(keys.all, afterPrefix(keys.all));
    await serve(7);
    const { why } = await lab.untilTold('backup_log_new_stream', from);
    expect(why).to.equal('the fence was taken away: the key space was emptied');
    const { windows, problems } = await lab.log();
    expect(problems).to.deep.equal([]);
    expect(windows.map((each) => [each.from.version, each.to.version])).to.deep.equal([[base.version, emptied - 1]]);
    window = windows[0]!;
  });
  after(async () => {
    db?.close();
    await lab?.close();
  });

  it('give just what was there, at any version of the window', async () => {
    const ofChanges = changes.map(({ version }) => version);
    const versions = [
      base.version,
      ...[20, 100, 150, -4, -3, -2, -1].map((n) => ofChanges.at(n)!),
      ofChanges.at(-3)! - 1,
      window.to.version,
    ];
    for (const [n, version] of versions.entries())
      expect(await restoredTo(version, `point-${n}/`), `version ${version}`).to.deep.equal(stateAt(version));
    const said = await here().done(['restore', 'latest', '--to-time', window.to.time, '--into', 'us-east1'], 'time/');
    expect(said).to.include(`reached ${window.to.time}`);
    expect(await contentIn({ db, keys: keySpaceOf('time/') })).to.deep.equal(stateAt(window.to.version));
  });

  it('are of a store where nobody can read it, and leave nothing on the machine that was stored', () => {
    expect(here().segments().length).to.be.greaterThan(0);
    for (const { path } of here().segments()) expect(readFileSync(path).includes(MARKER)).to.equal(false);
    for (const version of here().captured()) expect(version).to.be.greaterThan(window.to.version);
    expect(statSync(here().captureFolder).mode & 0o777).to.equal(0o700);
  });

  it('are refused before and after the window, with where it is', async () => {
    const refused = async (version: number): Promise<string> => {
      const { code, text } = await here().backup(['restore', 'latest', '--to-version', String(version), '--into', 'us-east1'], 'outside/');
      expect(code).to.equal(EXIT.badInput);
      return text;
    };
    expect(await refused(base.version - 1)).to.include(`no backup is that old (the oldest is of version ${base.version}`);
    expect(await refused(window.to.version + 1e12)).to.match(/the log of stream \w+ ends at version \d+/);
  });

  it('are refused where what is stored was cut or changed, and it is named', async () => {
    await here().stopService();
    const { path, name } = here()
      .segments()
      .findLast(({ begin }) => begin <= window.to.version)!;
    const whole = readFileSync(path);
    const changed = Buffer.from(whole);
    changed[200] = changed[200]! ^ 1;
    for (const damage of [(): void => truncateSync(path, whole.length - 7), (): void => writeFileSync(path, changed)]) {
      damage();
      for (const words of [['restore', 'latest', '--to-version', String(window.to.version), '--into', 'us-east1'], ['log']]) {
        const { code, text } = await here().backup(words, 'damaged/');
        expect(code, text).to.equal(EXIT.failed);
        expect(text).to.include(name);
      }
    }
    expect([...(await contentIn({ db, keys: keySpaceOf('damaged/') }))]).to.deep.equal([]);
    writeFileSync(path, whole);
  });
});
