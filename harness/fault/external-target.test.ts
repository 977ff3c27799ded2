import { BlockList, isIP } from 'node:net';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { contains, parseExternalTarget } from './external-target.ts';
import { parseAddress } from './ip-address.ts';

describe('external target', () => {
  const table: readonly (readonly [string, string])[] = [
    ['10.0.0.1', '10.0.0.1/32'],
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['fd77::1', 'fd77::1/128'],
    ['fd77::/64', 'fd77::/64'],
    ['10.0.0.1:53', '10.0.0.1/32 port 53'],
    ['10.0.0.0/8:53', '10.0.0.0/8 port 53'],
    ['[fd77::1]:443', 'fd77::1/128 port 443'],
    ['[fd77::1]', 'fd77::1/128'],
    ['example.test', 'example.test'],
    ['example.test:443', 'example.test port 443'],
    ['a_b.c-d.test.', 'a_b.c-d.test.'],
    ['10.0.0.0/33', 'none'],
    ['fd77::/129', 'none'],
    ['10.0.0.256', 'none'],
    ['10.0.0', 'none'],
    ['example.test/8', 'none'],
    ['example.test:0', 'none'],
    ['example.test:65536', 'none'],
    ['-a.test', 'none'],
    ['a..b', 'none'],
    ['', 'none'],
    ['http://a.test', 'none'],
    ['1/2/3', 'none'],
  ];
  for (const [text, expected] of table)
    it(`${JSON.stringify(text)} is ${expected}`, () => {
      const parsed = parseExternalTarget(text);
      const shown = parsed && `${parsed.kind === 'cidr' ? parsed.cidr : parsed.host}${parsed.port === null ? '' : ` port ${parsed.port}`}`;
      expect(shown ?? 'none').to.equal(expected);
    });

  it('reads an address exactly when Node does', () => {
    const near = fc.string({ unit: fc.constantFrom(...'0123456789abf:.:.:'.split('')), maxLength: 24 });
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), near), (text) => {
        expect(parseAddress(text)?.family ?? 0).to.equal(isIP(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('finds the same addresses in a block as Node does', () => {
    const v4 = fc.record({ network: fc.ipV4(), address: fc.ipV4(), prefix: fc.nat(32), family: fc.constant('ipv4' as const) });
    const v6 = fc.record({ network: fc.ipV6(), address: fc.ipV6(), prefix: fc.nat(128), family: fc.constant('ipv6' as const) });
    fc.assert(
      fc.property(fc.oneof(v4, v6), ({ network, address, prefix, family }) => {
        const list = new BlockList();
        list.addSubnet(network, prefix, family);
        expect(contains(`${network}/${prefix}`, address)).to.equal(list.check(address, family));
      }),
      { numRuns: 1000 },
    );
    expect(contains('0.0.0.0/0', '::1')).to.equal(false);
  });
});
