import { expect } from 'chai';
import { Tenure } from './tenure.ts';

describe('tenure of a leader', () => {
  const a = { region: 'a', incarnation: 'one', seq: 1 };
  const b = { region: 'b', incarnation: 'two', seq: 0 };
  const led = (): Tenure => {
    const tenure = new Tenure(900);
    tenure.stored('a', a, null, 1000);
    tenure.stored('a', { ...a, seq: 2 }, a, 1300);
    return tenure;
  };

  it('may be taken when its record has stood still for long enough, by the same region restarted as well', () => {
    expect(() => led().stored('b', b, a, 2200)).to.not.throw();
    expect(() => led().stored('a', { ...a, incarnation: 'three' }, a, 2200)).to.not.throw();
  });
  it('may not be taken before, and may always be handed over', () => {
    expect(() => led().stored('b', b, a, 2000)).to.throw('a-leader-is-given-its-time: b took the leadership of a, which wrote 700 ms ago');
    expect(() => led().stored('a', { ...a, incarnation: 'three' }, a, 1400)).to.throw('a-leader-is-given-its-time');
    expect(() => led().stored('a', b, a, 1400)).to.not.throw();
  });
  it('may not be handed over by somebody else, nor to one that does not answer', () => {
    expect(() => led().stored('c', b, a, 1400)).to.throw('a-leader-is-given-its-time: c took the leadership of a');
    expect(() => led().names('a', b, true)).to.not.throw();
    expect(() => led().names('a', { ...a, incarnation: 'three' }, false)).to.not.throw();
    expect(() => led().names('a', b, false)).to.throw('a-leader-names-who-answers: a hands the leadership over to b');
  });
});
