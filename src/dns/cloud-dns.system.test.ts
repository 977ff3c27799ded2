import { expect } from 'chai';
import { systemClock } from '../platform/clock.ts';
import { openCloudDns, type CloudDnsOptions } from './cloud-dns.ts';
import { dnsConformance } from './conformance.ts';
import type { DnsProvider } from './dns.ts';
import { StrictCloudDns } from './testing/strict-cloud-dns.ts';

describe('Google Cloud DNS, against a strict server of ours', () => {
  const server = new StrictCloudDns();
  const opened: DnsProvider[] = [];
  const open = (name: string, change: Partial<CloudDnsOptions> = {}): DnsProvider => {
    const { project, managedZone, endpoint } = server;
    const given = { project, managedZone, endpoint, name, ttlSeconds: 30, timeoutMs: 15_000, pendingMs: 15_000, clock: systemClock };
    const provider = openCloudDns({ ...given, ...change });
    opened.push(provider);
    return provider;
  };
  const failure = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => 'no failure',
      (caught: unknown) => caught,
    );
  const route = { epoch: 1, region: 'us-east1', addresses: ['10.77.2.10', 'fd77::2:10'] };

  before(() => server.start());
  afterEach(() => {
    server.pendingLooks = 0;
    server.onChange = null;
  });
  after(async () => {
    await Promise.all(opened.map((provider) => provider.close()));
    await server.stop();
  });

  dnsConformance('Google Cloud DNS', () => Promise.resolve(open('api.coditect.test.')));

  it('lets one of twenty writers of one epoch win', async () => {
    const providers = Array.from({ length: 20 }, () => open('race.coditect.test.'));
    const results = await Promise.all(
      providers.map((provider, i) => provider.publish({ ...route, region: `region-${i}`, addresses: [`10.77.2.${i + 1}`] })),
    );
    const winners = results.flatMap((result, i) => (result.ok ? [i] : []));
    expect(winners).to.have.length(1);
    const winner = winners[0] as number;
    expect(await providers[0]?.read()).to.deep.equal({ epoch: 1, region: `region-${winner}`, addresses: [`10.77.2.${winner + 1}`] });
  });

  it('loses to a higher epoch that is written between its look and its change, though the addresses are the same', async () => {
    const name = 'overtaken.coditect.test.';
    const provider = open(name);
    await provider.publish(route);
    server.onChange = () => {
      server.onChange = null;
      const old = server.recordsOf(name).filter(({ type }) => type === 'TXT');
      server.change({ deletions: old, additions: old.map((record) => ({ ...record, rrdatas: ['"epoch=3 region=us-east1"'] })) });
    };
    expect(await provider.publish({ ...route, addresses: ['10.77.2.99'] })).to.have.property('reason', 'superseded');
    expect(await provider.read()).to.deep.equal({ ...route, epoch: 3 });
  });

  it('takes over a name that has addresses and no epoch yet, and leaves its other records alone', async () => {
    const name = 'taken.coditect.test.';
    server.change({ additions: [{ name, type: 'A', ttl: 3600, rrdatas: ['192.0.2.1', '192.0.2.2'] }] });
    const provider = open(name);
    expect(await provider.read()).to.equal(null);
    expect(await provider.publish(route)).to.deep.equal({ ok: true, changed: true });
    expect(await provider.read()).to.deep.equal(route);
    expect(server.recordsOf(name).map(({ ttl }) => ttl)).to.deep.equal([30, 30, 30]);
  });

  it('knows its own addresses in the spelling of the service', async () => {
    const provider = open('spelled.coditect.test.');
    const spelled = { ...route, addresses: ['FD77:0:0::2:10', '10.77.2.10'] };
    expect(await provider.publish(spelled)).to.deep.equal({ ok: true, changed: true });
    expect(await provider.publish(spelled)).to.deep.equal({ ok: true, changed: false });
  });

  it('changes the time to live of the route of just that epoch; the next epoch has the configured one', async () => {
    const name = 'ttl.coditect.test.';
    const provider = open(name);
    const ttls = (): readonly unknown[] => server.recordsOf(name).map(({ ttl }) => ttl);
    await provider.publish(route);
    await provider.setTtl?.(route, 0);
    expect(ttls()).to.deep.equal([0, 0, 0]);
    await provider.setTtl?.({ ...route, epoch: 0 }, 5);
    await provider.setTtl?.({ ...route, region: 'europe-west1' }, 5);
    expect(ttls()).to.deep.equal([0, 0, 0]);
    await provider.publish({ ...route, epoch: 2 });
    expect(ttls()).to.deep.equal([30, 30, 30]);
  });

  it('makes a change once, also when its request or its answer was lost', async () => {
    for (const [i, fault] of (['cut-before', 'cut-after'] as const).entries()) {
      const provider = open(`lost-${i}.coditect.test.`);
      const before = server.changes.length;
      server.fail('none', fault);
      expect(await provider.publish(route)).to.deep.equal({ ok: true, changed: true });
      expect(server.changes.length).to.equal(before + 1);
    }
  });

  it('waits until a change is not pending any more, and says when that takes too long', async () => {
    server.pendingLooks = 3;
    expect(await open('pending.coditect.test.').publish(route)).to.have.property('ok', true);
    server.pendingLooks = Infinity;
    const error = await failure(open('stuck.coditect.test.', { pendingMs: 300 }).publish(route));
    expect(error).to.include({ code: 'dns-failed' }).and.to.have.property('message').that.contains('still pending');
  });

  it('leaves a TXT record that is not its own alone, and says so', async () => {
    const name = 'spf.coditect.test.';
    server.change({ additions: [{ name, type: 'TXT', ttl: 30, rrdatas: ['"v=spf1 -all"'] }] });
    const error = await failure(open(name).publish(route));
    expect(error).to.include({ code: 'dns-failed' }).and.to.have.property('message').that.contains('v=spf1 -all');
    expect(server.recordsOf(name)).to.have.length(1);
  });

  it('says what the service says: a zone that is not there, a name that is not in it', async () => {
    const lost = await failure(open('x.coditect.test.', { managedZone: 'gone' }).publish(route));
    expect(lost).to.include({ code: 'dns-failed' }).and.to.have.property('message').that.contains('gone');
    const outside = await failure(open('api.elsewhere.test.').publish(route));
    expect(outside).to.include({ code: 'dns-failed' }).and.to.have.property('message').that.contains('not in coditect.test.');
  });

  it('gives up on a server that does not answer, and works again when it does', async () => {
    const provider = open('silent.coditect.test.', { timeoutMs: 200 });
    server.fail('silence');
    expect(await failure(provider.publish(route))).to.include({ code: 'dns-failed' });
    server.failNoMore(); // a request that was given up on its way has met no fault
    expect(await open('silent.coditect.test.').publish(route)).to.have.property('ok', true);
  });

  it('stops when it is told to', async () => {
    const provider = open('stopped.coditect.test.');
    server.fail('silence');
    const reading = failure(provider.read());
    await provider.close();
    expect(await reading).to.include({ code: 'dns-failed' });
    server.failNoMore();
    const ending = new AbortController();
    server.fail('silence');
    const aborted = failure(open('stopped.coditect.test.').read(ending.signal));
    ending.abort(new Error('enough'));
    expect(await aborted).to.have.property('message', 'enough');
  });

  it('gives no credentials to another server than Google', () => {
    expect(server.requests.filter((line) => line.includes('with credentials'))).to.deep.equal([]);
  });
});
