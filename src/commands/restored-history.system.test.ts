import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { NO_RECORDS } from '../arbiter/arbiter.ts';
import { LogShipper } from '../backup/log/shipper.ts';
import { configuredBackup, openConfiguredRepository } from '../backup/service/configured.ts';
import { anchorsIn } from '../backup/service/log-source.ts';
import { runCli } from '../cli.ts';
import { decodeConfig } from '../config/load.ts';
import type { Entry } from '../database/database.ts';
import { openLmdb } from '../database/lmdb.ts';
import { openLmdbReader } from '../database/lmdb-reader.ts';
import { systemClock } from '../platform/clock.ts';
import { decideClaim } from '../server/claim.ts';
import { restoredEnd } from '../server/restored.ts';
import { backupCommandConfig } from '../testing/backup-command-config.ts';
import { EXIT } from './world.ts';

const never = new AbortController().signal;

/** All regions were lost with the arbiter, or everybody agreed to go back before a mistake: the restored database begins a history of its own, beside that which the repository holds. */
describe('the history that begins with a restore', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'restored-history-'));
    for (const data of ['before', 'again']) mkdirSync(join(folder, data));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function run(words: readonly string[], data: string): Promise<void> {
    const config = join(folder, 'config.yaml');
    writeFileSync(config, JSON.stringify(backupCommandConfig('x', data, {})));
    let said = '';
    const out = (text: string): void => void (said += text);
    const code = await runCli(['backup', ...words, '--config', config], { environment: {}, signal: never, out, err: out });
    expect(code, said).to.equal(EXIT.ok);
  }

  async function write(data: string, epoch: number, rows: readonly (readonly [string, string])[]): Promise<void> {
    const database = openLmdb(join(folder, data, 'db'));
    const first = database.state().log.index + 1;
    await database.append(rows.map(([key, value], i): Entry => ({ epoch, index: first + i, op: 'put', key, value })));
    database.commit(first + rows.length - 1);
    await database.close();
  }

  /** As backup-service does, started anew. */
  async function ship(data: string): Promise<void> {
    const config = decodeConfig(JSON.stringify(backupCommandConfig('x', data, {})), 'config');
    const repository = await openConfiguredRepository(configuredBackup({ config, folder }), never);
    const reader = await openLmdbReader(join(folder, data, 'db'));
    const shipper = new LogShipper({
      repository: () => Promise.resolve(repository),
      cluster: 'x',
      reader,
      clock: systemClock,
      anchors: (signal) => anchorsIn(repository, 'x', signal),
    });
    let ticks = 0;
    while ((await shipper.tick(never)).kind !== 'idle') expect(++ticks).to.be.lessThan(10);
    await reader.close();
  }

  it('has an epoch of its own, so that nothing of the history before is ever taken for a part of it', async () => {
    await write('before', 1, [['account', 'good']]);
    await run(['init'], 'before');
    await run(['create', '--no-lease'], 'before');
    await ship('before');
    await write('before', 1, [['order', 'good']]);
    await ship('before');
    // The primary was restarted, and did what is to be undone.
    await write('before', 2, [
      ['account', 'destroyed'],
      ['order', 'destroyed'],
      ['other', 'mistake'],
    ]);
    await ship('before');

    await run(['restore', 'latest', '--into', 'us-east1', '--to-version', '2'], 'again');
    const database = openLmdb(join(folder, 'again', 'db'));
    const { log: end, sealedEpoch } = database.state();
    await database.close();
    const self = { region: 'r', incarnation: 'i', primaryRegion: 'r', others: [], mode: 'sync', end, sealedEpoch } as const;
    const claim = decideClaim(NO_RECORDS, { ...self, restored: restoredEnd(join(folder, 'again')) });
    const { epoch } = (claim as Extract<typeof claim, { kind: 'acquire' }>).acquiring;
    expect(epoch).to.be.greaterThan(2);
    await write('again', epoch, [['account', 'new']]);
    await run(['create', '--no-lease'], 'again');
    await ship('again');
    await write('again', epoch, [
      ['1', ''],
      ['2', ''],
      ['3', ''],
    ]);
    await ship('again');

    mkdirSync(join(folder, 'last'));
    await run(['restore', 'latest', '--into', 'us-east1', '--to-time', new Date(Date.now() + 60_000).toISOString()], 'last');
    const restored = openLmdb(join(folder, 'last', 'db'));
    const rows: Record<string, string> = {};
    for await (const { key, value } of (await restored.snapshot()).rows) rows[key] = value;
    await restored.close();
    expect(rows).to.deep.equal({ account: 'new', order: 'good', 1: '', 2: '', 3: '' });
  }).timeout(300_000);
});
