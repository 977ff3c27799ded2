import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { systemClock } from '../platform/clock.ts';
import { startKnot, type TestKnot } from '../testing/knot.ts';
import { dnsConformance } from './conformance.ts';
import type { DnsProvider } from './dns.ts';
import { openRfc2136, type Rfc2136Options } from './rfc2136.ts';

describe('DNS by RFC 2136', () => {
  let knot: TestKnot;
  const open = (name: string, change: Partial<Rfc2136Options> = {}): DnsProvider =>
    openRfc2136({
      server: knot.server,
      port: knot.port,
      zone: knot.zone,
      name,
      ttlSeconds: 1,
      key: knot.key,
      timeoutMs: 15_000,
      clock: systemClock,
      ...change,
    });
  const route = { epoch: 1, region: 'us-east1', addresses: ['10.77.2.10'] };
  const failure = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => 'no failure',
      (caught: unknown) => caught,
    );

  before(async () => {
    knot = await startKnot();
  });
  after(() => knot?.stop());

  dnsConformance('RFC 2136 on knot', () => Promise.resolve(open('api.coditect.test.')));

  it('lets one of twenty writers of one epoch win', async () => {
    const providers = Array.from({ length: 20 }, () => open('race.coditect.test.'));
    const results = await Promise.allSettled(
      providers.map((provider, i) => provider.publish({ ...route, region: `region-${i}`, addresses: [`10.77.2.${i + 1}`] })),
    );
    const winners = results.flatMap((result, i) => (result.status === 'fulfilled' && result.value.ok ? [i] : []));
    expect(winners).to.have.length(1);
    expect(await providers[0]?.read()).to.deep.include({
      region: `region-${winners[0]}`,
      addresses: [`10.77.2.${(winners[0] as number) + 1}`],
    });
  });

  it('says which server refused a wrong secret, and changes nothing', async () => {
    const provider = open('secret.coditect.test.', { key: { ...knot.key, secret: randomBytes(32) } });
    expect(await failure(provider.publish(route))).to.include({ code: 'dns-failed' });
    expect(await open('secret.coditect.test.').read()).to.equal(null);
  });

  it('says that a server is no authority for a name', async () => {
    const provider = open('api.elsewhere.test.', { zone: 'elsewhere.test.' });
    expect(await failure(provider.publish(route))).to.include({ code: 'dns-failed' });
  });

  it('gives up on a server that does not answer, and works again when it does', async () => {
    const provider = open('silent.coditect.test.', { timeoutMs: 50 });
    try {
      await knot.hold();
      expect(await failure(provider.publish(route))).to.include({ code: 'dns-failed' });
    } finally {
      knot.goOn();
    }
    expect(await open('silent.coditect.test.').publish(route)).to.have.property('ok', true);
  });
});
