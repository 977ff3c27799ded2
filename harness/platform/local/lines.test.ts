import { expect } from 'chai';
import * as fc from 'fast-check';
import { splitLines } from './lines.ts';

function fed(chunks: readonly string[], maxChars?: number): readonly string[] {
  const lines: string[] = [];
  const feed = splitLines((line) => lines.push(line), maxChars);
  for (const chunk of chunks) feed(chunk);
  return lines;
}

describe('lines of a stream', () => {
  it('are the same however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.nat(20)), (lines, cuts) => {
        const clean = lines.map((line) => line.replaceAll('\n', ' '));
        let rest = clean.map((line) => `${line}\n`).join('');
        const chunks = cuts.map((cut) => {
          const chunk = rest.slice(0, cut);
          rest = rest.slice(cut);
          return chunk;
        });
        expect(fed([...chunks, rest])).to.deep.equal(clean);
      }),
    );
  });
  it('may be long where long ones are allowed, and come in pieces where they are not', () => {
    const long = 'x'.repeat(3 * 1024 * 1024);
    const chunks = [...(long.match(/.{1,65536}/g) ?? []), '\nshort\n'];
    expect(fed(chunks, 4 * 1024 * 1024)).to.deep.equal([long, 'short']);
    const pieces = fed(chunks);
    expect(pieces.length).to.be.above(3);
    expect(pieces.slice(0, -1).join('')).to.equal(long);
  });
});
