import { expect } from 'chai';
import { runCorruption } from '../testing/backup-corruption.ts';
import { runFuzz } from '../testing/backup-fuzz.ts';

describe('damaged backups', () => {
  it('are refused or give just what was backed up, wherever a byte changes (a sample; all of it in ./scripts/bench backup-corruption)', async () => {
    const { changes, refused, restores, restoresRefused } = await runCorruption({ step: 97, restoreEach: 40, onLine: () => undefined });
    expect(refused).to.be.greaterThan(changes / 2);
    expect(restoresRefused).to.be.within(1, restores - 1);
  }).timeout(120_000);

  it('never crash a decoder, hang it or fill the memory (a sample)', async () => {
    const { inputs, refused, accepted } = await runFuzz(20_000, Math.random);
    expect(refused + accepted).to.equal(inputs);
    expect(refused).to.be.greaterThan(accepted);
  }).timeout(120_000);
});
