import { expect } from 'chai';
import { decodeScenario, type World } from './decode.ts';
import type { LabDatabase, Scenario } from './scenario.ts';
import { formatProblems } from './yaml-decode.ts';

const WRITTEN = `name: loss
question: Does it come back?
steady: 2s
method:
  - inject: loss
    manifest: loss.yaml
  - awaitRecovery: 10s
settle: 5s
expect:
  failover: one
  outage: none
  loss: none
  mustRecover: [outside]
targets:
  recoveryTime: 10s
  lostWrites: 0
onFoundationdb:
  settle: 90s
  expect: {outage: allowed}
  targets: {recoveryTime: 15s}
`;

function decode(text: string, database?: LabDatabase): Scenario | string {
  const world: World = { vantages: ['outside'], platforms: ['local', 'kubernetes'], database };
  const decoded = decodeScenario(text, 's.yaml', world);
  return decoded.ok ? decoded.value : formatProblems(decoded.problems);
}

describe('a scenario on FoundationDB', () => {
  it('is on the embedded database where nobody says otherwise, and then what it says of FoundationDB counts for nothing', () => {
    const played = decode(WRITTEN);
    expect(played).to.deep.include({ name: 'loss', database: 'embedded', settleMs: 5000 });
    expect(played).to.have.nested.property('targets.recoveryTimeMs', 10_000);
    expect(played).not.to.have.property('onFoundationdb');
  });

  it('is what it says there, of another name where it was written for the other, and the rest is as it was', () => {
    const own = decode(`${WRITTEN}database: foundationdb\n`);
    expect(own).to.have.property('name', 'loss');
    expect(decode(WRITTEN, 'foundationdb')).to.have.property('name', 'loss-on-foundationdb');
    for (const played of [decode(WRITTEN, 'foundationdb'), own]) {
      expect(played).to.deep.include({ database: 'foundationdb', settleMs: 90_000 });
      expect(played).to.have.nested.property('targets.recoveryTimeMs', 15_000);
      expect(played).to.have.nested.property('targets.lostWrites', 0);
      expect(played).to.have.deep.property('expect', { failover: 'one', outage: 'allowed', loss: 'none', mustRecover: ['outside'] });
    }
    expect(decode(`${WRITTEN}database: foundationdb\n`, 'embedded')).to.deep.include({ name: 'loss-on-embedded', database: 'embedded' });
  });

  for (const [what, line, message] of [
    ['backups', 'backup: {store: folder}', /s\.yaml:\d+:\d+: backup: FoundationDB is not backed up by this engine yet/],
    ['replication that may lose', 'replication: async', /s\.yaml:\d+:\d+: replication: .*there is no `async`/],
    ['clusters', 'platform: kubernetes', /s\.yaml:\d+:\d+: platform: FoundationDB is started in local labs only/],
  ] as const)
    it(`is refused with ${what}, which are there on the embedded database`, () => {
      expect(decode(`${WRITTEN}${line}\n`, 'foundationdb')).to.match(message);
      expect(decode(`${WRITTEN}${line}\n`)).to.be.an('object');
    });
});
