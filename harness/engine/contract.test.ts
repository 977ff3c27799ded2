import { expect } from 'chai';
import { decodeCopy } from './observe.ts';

/** What an engine exports is what a user's engine got wrong: its sentence stands in the verdict. */
describe('an export that is not of the contract', () => {
  const HEAD = '{"region":"us-east1","epoch":1,"role":"primary","appliedIndex":7}\n';
  for (const [what, body, error] of [
    ['without a head', '', 'not understood: line 1: is no JSON'],
    [
      'whose head lacks a field',
      '{"region":"us-east1","role":"primary","appliedIndex":7}\n',
      'not understood: line 1: epoch: must be a number; this is missing',
    ],
    [
      'with a value that is none',
      `${HEAD}{"key":"a","value":"x"}\n{"key":"b","value":7}\n`,
      'not understood: line 3: value: must be text; this is 7',
    ],
    ['with a line that was cut', `${HEAD}{"key":"a","va`, 'not understood: line 2: is no JSON'],
  ] as const)
    it(`is told by line and field: ${what}`, () => expect(decodeCopy(200, body)).to.deep.equal({ ok: false, error }));

  it('and one that is, is read', () => {
    expect(decodeCopy(200, `${HEAD}{"key":"a","value":"x"}\n`)).to.deep.include({ ok: true, role: 'primary', epoch: 1 });
  });
});
