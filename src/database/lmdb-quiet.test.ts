import { expect } from 'chai';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuietMoments } from './lmdb-quiet.ts';

describe('quiet moments of the writer', () => {
  let folder: string;
  let moments: QuietMoments;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'quiet-'));
    moments = new QuietMoments(folder, () => undefined);
  });
  afterEach(() => {
    moments.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const quiet = (): string | null => (existsSync(join(folder, 'quiet')) ? readFileSync(join(folder, 'quiet'), 'utf8') : null);
  /** An opener that lives (this process) and does not come to its end, as one that is stopped. */
  const stopped = (id: string): string => {
    const token = `${readFileSync(join(folder, 'writer'), 'utf8')} ${id}`;
    writeFileSync(join(folder, 'opening'), token);
    return token;
  };

  it('are given once to an opener that stands still, not before every commit, and to the next one again', async () => {
    const first = stopped('first');
    const held = moments.pass();
    expect(quiet()).to.equal(first);
    await held;
    expect(quiet()).to.equal(null);

    expect(moments.wanted()).to.equal(false);
    const again = moments.pass();
    expect(quiet()).to.equal(null);
    await again;

    const second = stopped('second');
    const next = moments.pass();
    expect(quiet()).to.equal(second);
    await next;
  });
});
