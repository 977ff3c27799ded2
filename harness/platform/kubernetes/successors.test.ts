import { expect } from 'chai';
import type { KubePod } from './kube-object.ts';
import { Successors } from './successors.ts';

const pod = (name: string, owner = 'replica-set', creationTimestamp = '2026-01-01T00:00:00Z'): KubePod => ({
  metadata: { name, uid: `uid-of-${name}`, creationTimestamp, ownerReferences: [{ uid: owner, controller: true }] },
  spec: { containers: [] },
});
const nameOf = (found: KubePod | undefined): string | undefined => found?.metadata.name;

describe('who is there for a pod that was', () => {
  it('is the new one of its owner, never one that was beside it', () => {
    const successors = new Successors();
    const before = [pod('a'), pod('b'), pod('other', 'somebody')];
    expect(nameOf(successors.find('a', before))).to.equal('a');
    expect(nameOf(successors.find('a', [pod('b'), pod('other', 'somebody')]))).to.equal(undefined);
    expect(nameOf(successors.find('a', [pod('b'), pod('c'), pod('new', 'somebody')]))).to.equal('c');
  });

  it('is another for each of several that went', () => {
    const successors = new Successors();
    const before = [pod('a'), pod('b')];
    for (const name of ['a', 'b']) successors.find(name, before);
    const after = [pod('x', 'replica-set', '2026-01-01T00:00:09Z'), pod('y', 'replica-set', '2026-01-01T00:00:05Z')];
    expect(['a', 'b'].map((name) => nameOf(successors.find(name, after)))).to.deep.equal(['y', 'x']);
    expect(['a', 'b'].map((name) => nameOf(successors.find(name, after.slice(0, 1))))).to.deep.equal(['x', undefined]);
  });

  it('is the one of its name where there is one, and nobody where nobody makes another', () => {
    const successors = new Successors();
    const alone: KubePod = { metadata: { name: 'alone', uid: '1' }, spec: { containers: [] } };
    expect(nameOf(successors.find('alone', [alone]))).to.equal('alone');
    expect(successors.find('alone', [{ ...alone, metadata: { name: 'another', uid: '2' } }])).to.equal(undefined);
  });
});
