import { expect } from 'chai';
import { whoElseMayRead } from './secret-file.ts';

describe('whoElseMayRead', () => {
  const self = { uid: 65532, groups: [65532] };
  const root = { uid: 0, groups: [0] };
  const file = (mode: number, uid: number, gid: number) => ({ mode: 0o100000 | mode, uid, gid });

  it('takes what is for nobody else', () => {
    expect(whoElseMayRead(file(0o600, 65532, 65532), self)).to.equal(null);
    expect(whoElseMayRead(file(0o400, 0, 0), root)).to.equal(null);
  });
  it('takes a secret as Kubernetes mounts it: of root, for a group of ours', () => {
    expect(whoElseMayRead(file(0o440, 0, 65532), self)).to.equal(null);
    expect(whoElseMayRead(file(0o640, 0, 65532), self)).to.equal(null);
  });
  it('refuses what others may read or write', () => {
    for (const [mode, uid, gid, who] of [
      [0o640, 65532, 65532, self], // one's own: whoever is in the group was not meant
      [0o444, 0, 65532, self],
      [0o460, 0, 65532, self], // the group may write it
      [0o440, 0, 1000, self],
      [0o440, 1000, 65532, self], // another user's
      [0o440, 0, 0, root],
    ] as const)
      expect(whoElseMayRead(file(mode, uid, gid), who), `${mode.toString(8)} ${uid}:${gid}`).to.match(/others may read it; chmod 6[04]0/);
  });
});
