import { expect } from 'chai';
import { z } from 'zod';
import { durationMs } from './duration.ts';
import { decodeYaml, fields, formatProblems, readYaml } from './yaml-decode.ts';

const schema = fields(
  {
    name: z.string(),
    mode: z.enum(['one', 'all']),
    wait: durationMs.optional(),
    steps: z.array(fields({ do: z.string(), forMs: z.number().optional() })).optional(),
  },
  { remote: '`remote` needs a cluster; remove it' },
);

const problems = (text: string): string => {
  const decoded = decodeYaml(text, 'x.yaml', schema);
  return decoded.ok ? 'ok' : formatProblems(decoded.problems);
};

describe('yaml-decode', () => {
  it('decodes a good document', () => {
    expect(decodeYaml('name: a\nmode: one\nwait: 1h15m\n', 'x.yaml', schema)).to.deep.equal({
      ok: true,
      value: { name: 'a', mode: 'one', wait: 4_500_000 },
    });
  });

  it('tells of a key that every object has as of any other', () => {
    expect(problems('name: a\nmode: one\n__proto__: {a: 1}\nconstructor: 1\n').split('\n')).to.deep.equal([
      'x.yaml:3:1: __proto__: unknown field `__proto__`; allowed here: name, mode, wait, steps',
      'x.yaml:4:1: constructor: unknown field `constructor`; allowed here: name, mode, wait, steps',
    ]);
  });

  it('says what a document that is no map should be', () => {
    const says = 'must be a map with the fields name, mode, wait, steps; this is';
    expect(problems('- a\n')).to.equal(`x.yaml:1:1: ${says} a list`);
    expect(problems('5\n')).to.equal(`x.yaml:1:1: ${says} a number`);
    expect(problems('five\n')).to.equal(`x.yaml:1:1: ${says} text`);
    expect(problems('name: a\nmode: one\nsteps: [5]\n')).to.equal(
      'x.yaml:3:9: steps[0]: must be a map with the fields do, forMs; this is a number',
    );
  });

  it('reports every problem of a document at once, each at its own place', () => {
    const text = 'name: 7\nnmae: b\nremote: c\nmode: two\nwait: 5 minutes\nsteps:\n  - do: x\n    formS: 3\n  - forMs: x\n';
    expect(problems(text).split('\n')).to.deep.equal([
      'x.yaml:1:7: name: must be text; this is 7',
      'x.yaml:2:1: nmae: unknown field `nmae`; did you mean `name`? allowed here: name, mode, wait, steps',
      'x.yaml:3:1: remote: `remote` needs a cluster; remove it',
      'x.yaml:4:7: mode: must be one of one, all; this is "two"',
      'x.yaml:5:7: wait: `5 minutes` is not a duration; write it as 300ms, 10s or 1h15m',
      'x.yaml:8:5: steps[0].formS: unknown field `formS`; did you mean `forMs`? allowed here: do, forMs',
      'x.yaml:9:5: steps[1].do: `do` is missing; add it (text)',
      'x.yaml:9:12: steps[1].forMs: must be a number; this is "x"',
    ]);
  });

  it('names a missing enum with its values, at the map it is missing from', () => {
    expect(problems('# comment\nname: a\n')).to.equal('x.yaml:2:1: mode: `mode` is missing; add it (one of one, all)');
  });

  it('reports syntax errors, duplicate keys, unknown tags and anchors with their position', () => {
    expect(problems('name: a\nname: b\nmode: one\n')).to.match(/^x\.yaml:2:1: Map keys must be unique/);
    expect(problems('name: [a\nmode: one\n')).to.match(/^x\.yaml:\d+:\d+: /);
    expect(problems('name: !secret a\nmode: one\n')).to.match(/^x\.yaml:1:7: Unresolved tag/);
    expect(problems('mode: one\nname: *nowhere\n')).to.match(/^x\.yaml:2:7: `\*nowhere` has no anchor/);
  });

  it('wants exactly one document where one is asked for', () => {
    expect(problems('')).to.equal('x.yaml:1:1: the file holds no document');
    expect(problems('---\n# only a comment\n---\n')).to.equal('x.yaml:1:1: the file holds no document');
    expect(problems('name: a\nmode: one\n---\nname: b\nmode: one\n')).to.equal('x.yaml:4:1: only one document is allowed in this file');
  });

  it('finds the place behind an alias and in a merged map', () => {
    expect(problems('name: &x 7\nmode: *x\n').split('\n')).to.have.length(2);
    expect(decodeYaml('<<: {name: a}\nmode: one\n', 'x.yaml', schema)).to.deep.include({ ok: true });
  });

  it('bounds size, depth, aliases and documents', () => {
    const first = (text: string): string | undefined => readYaml(text, 'x.yaml').problems[0]?.message;
    expect(first('a: ' + 'x'.repeat(300_000))).to.match(/larger than 256 KiB/);
    expect(first('['.repeat(40) + ']'.repeat(40))).to.match(/deeper than 32/);
    expect(first('['.repeat(100_000) + ']'.repeat(100_000))).to.match(/deeper than 32/);
    expect(first('---\na: 1\n'.repeat(101))).to.match(/more than 100 documents/);
    const bomb = ['a0: &a0 [x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 9; i++)
      bomb.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
      );
    expect(first(bomb.join('\n'))).to.match(/alias/i);
    expect(readYaml('&a [*a]', 'x.yaml').problems).to.have.length(1);
  });
});
