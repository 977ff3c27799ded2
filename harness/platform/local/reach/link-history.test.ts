import { expect } from 'chai';
import * as fc from 'fast-check';
import { decodeProbe, encodeProbe } from './datagram.ts';
import { afterProbe, EMPTY_HISTORY, type LinkHistory } from './link-history.ts';

/** Probes 10 ms apart, each system call taking 1 ms; `.` came in, `x` was lost. */
const history = (text: string): LinkHistory =>
  text.split('').reduce((so, one, n) => afterProbe(so, { beforeMs: n * 10, afterMs: n * 10 + 1, arrived: one === '.' }), EMPTY_HISTORY);

describe('link history', () => {
  it('of a link that is cut and healed', () => {
    expect(history('..xxx..')).to.deep.equal({
      sent: 7,
      received: 4,
      lastArrivedSentMs: 10,
      firstLostSentMs: 21,
      lastLostSentMs: 40,
      firstArrivedAgainSentMs: 51,
      firstBackSentMs: 51,
      arrivedSinceLost: 2,
    });
  });
  it('of a link on which nothing changes', () => {
    expect(history('...')).to.deep.include({ lastArrivedSentMs: 20, firstLostSentMs: null, firstArrivedAgainSentMs: null });
    expect(history('xxx')).to.deep.include({
      lastArrivedSentMs: null,
      firstLostSentMs: 1,
      lastLostSentMs: 20,
      firstArrivedAgainSentMs: null,
    });
  });
  it('a link that comes back for a moment has not come back for good', () => {
    expect(history('.x.x')).to.deep.include({
      lastArrivedSentMs: 0,
      firstLostSentMs: 11,
      lastLostSentMs: 30,
      firstArrivedAgainSentMs: null,
      firstBackSentMs: 21,
    });
    expect(history('.x.x.')).to.deep.include({ firstArrivedAgainSentMs: 41, firstBackSentMs: 21 });
  });
});

describe('probe datagram', () => {
  it('comes out as it went in', () => {
    const number = fc.nat(0xffffffff);
    fc.assert(
      fc.property(fc.record({ session: number, link: number, seq: number }), (probe) => {
        expect(decodeProbe(encodeProbe(probe))).to.deep.equal(probe);
      }),
    );
  });
  it('is told from anything else', () => {
    expect(decodeProbe(Buffer.from('GET / HTTP/1.1\r\n'))).to.equal(undefined);
    expect(decodeProbe(encodeProbe({ session: 1, link: 2, seq: 3 }).subarray(0, 15))).to.equal(undefined);
  });
});
