import { expect } from 'chai';
import { lockSystem, lockUid } from './lock-uid.ts';
import { lockText } from './lock-told.ts';

const ASKER = { cluster: 'prod', fdbcli: 'fdbcli -C /etc/fdb.cluster' };

describe('a lock of FoundationDB, told to whoever meets it', () => {
  const text = (uid: string, ageSeconds = 61): string => lockText({ uid, ageSeconds, isCopy: false }, ASKER);

  it('is told with its UID, its age and the command that ends it', () => {
    const uid = lockUid({ system: lockSystem('backup', 'prod'), epoch: 7 });
    expect(text(uid))
      .to.include(`locked under ${uid}, for at most 61 s:`)
      .and.include(`\`fdbcli -C /etc/fdb.cluster --exec "unlock ${uid}"\` ends the lock`);
    expect(text(uid, 0)).to.include('for at most 1 s');
    expect(text(uid, 3599)).to.include('for at most 60 min');
    expect(text(uid, 86_400)).to.include('for at most 24 h');
  });

  for (const [whose, uid, says] of [
    [
      'a backup',
      lockUid({ system: lockSystem('backup', 'prod'), epoch: 7 }),
      /backup create --lock` of prod .*epoch 7.*next `backup create` ends it/,
    ],
    ['a restore', lockUid({ system: lockSystem('restore', 'prod'), epoch: 3 }), /restore of prod .*epoch 3.*takes it over and begins anew/],
    ['another system', lockUid({ system: lockSystem('backup', 'test'), epoch: 7 }), /by coditect-dr .*another backup\.cluster\.id/],
    ['an operator', '5a0c4f1e88d1a6b0c1e2f30415263748', /coditect-dr has not locked it/],
  ] as const)
    it(`tells that it is of ${whose}`, () => expect(text(uid)).to.match(says));

  it('tells nobody how to unlock a copy that fdbdr keeps', () => {
    const said = lockText({ uid: '5a0c4f1e88d1a6b0c1e2f30415263748', ageSeconds: 1, isCopy: true }, ASKER);
    expect(said)
      .to.match(/is a copy of another: fdbdr keeps it locked under 5a0c/)
      .and.not.include('fdbcli');
  });

  it('tells a lock of ours where no cluster is configured', () => {
    const uid = lockUid({ system: lockSystem('backup', 'prod'), epoch: 7 });
    expect(lockText({ uid, ageSeconds: 1, isCopy: false }, { ...ASKER, cluster: null })).to.match(/by coditect-dr holds it/);
  });
});
