import { expect } from 'chai';
import { foundationdbFeatures } from './features.ts';

describe('gameday doctor, of FoundationDB', () => {
  const found = { fdbserver: '/bin/fdbserver', fdbcli: '/bin/fdbcli', library: null };
  const told = (of: Parameters<typeof foundationdbFeatures>[0]) => foundationdbFeatures(of).map(({ has }) => has);

  it('says what a pair needs apart: whoever lacks that can play all others', () => {
    expect(told({ ...found, pair: { fdbdr: '/bin/fdbdr', drAgent: '/bin/dr_agent' } })).to.deep.equal([true, true]);
    expect(told(found)).to.deep.equal([true, 'no fdbdr or no dr_agent']);
    expect(told('no fdbserver')).to.deep.equal(['no fdbserver', 'no fdbserver']);
  });
});
