import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LogFile, type Entry } from './log-file.ts';

const entry = (index: number, epoch = 1): Entry => ({ epoch, index, op: 'put', key: `k${index}`, value: 'é'.repeat(index) });

describe('the log file of the known-bad engines', () => {
  let folder: string;
  let opened: LogFile[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-file-'));
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((log) => log.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(): Promise<LogFile> {
    const log = await LogFile.open(folder);
    opened.push(log);
    return log;
  }

  it('has after a restart what was appended, in order, however it was grouped', async () => {
    const log = await open();
    await Promise.all([log.append([entry(1)]), log.append([entry(2), entry(3)]), log.append([entry(4)])]);
    expect(log.durableIndex).to.equal(4);
    expect((await open()).from(1)).to.deep.equal([1, 2, 3, 4].map((index) => entry(index)));
  });

  it('cuts a torn line off and goes on behind the last whole one', async () => {
    const log = await open();
    await log.append([entry(1), entry(2)]);
    appendFileSync(join(folder, 'log.ndjson'), '0badc0de {"epoch":1,"in');
    const again = await open();
    expect(again.lastIndex).to.equal(2);
    await again.append([entry(3)]);
    expect((await open()).from(1)).to.deep.equal([entry(1), entry(2), entry(3)]);
  });

  it('forgets what was truncated, durably', async () => {
    const log = await open();
    await log.append([entry(1), entry(2), entry(3)]);
    await log.truncate(1);
    await log.append([entry(2, 5)]);
    const again = await open();
    expect([again.lastIndex, again.lastEpoch, again.epochAt(1)]).to.deep.equal([2, 5, 1]);
  });

  it('keeps small files whole', async () => {
    const log = await open();
    await log.keep('seal.json', '{"epoch":3}');
    expect(readFileSync(join(folder, 'seal.json'), 'utf8')).to.equal('{"epoch":3}');
  });
});
