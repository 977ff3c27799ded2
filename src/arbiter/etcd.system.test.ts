import { expect } from 'chai';
import { systemClock } from '../platform/clock.ts';
import type { Credentials } from '../platform/tls.ts';
import { makeTestAuthority } from '../testing/certificates.ts';
import { startEtcdCluster, type EtcdCluster } from '../testing/etcd-cluster.ts';
import type { Arbiter, CasResult, Lease } from './arbiter.ts';
import { arbiterConformance } from './conformance.ts';
import { openEtcd } from './etcd.ts';

let cluster: EtcdCluster;
let credentials: Credentials;
/** Patient: the machine may be busy. */
const RPC_MS = 20_000;
/** Where a member is silent on purpose, and whatever is unknown is asked again. */
const HASTY_MS = 500;
const SILENCE_MS = 1000;
const open = (prefix: string, rpcMs = RPC_MS, endpoints = cluster.endpoints): Arbiter =>
  openEtcd({ endpoints, prefix, credentials, rpcMs, silenceMs: SILENCE_MS, clock: systemClock });
const lease = (incarnation: string, seq: number): Lease => ({ epoch: 1, holder: 'us-central1', incarnation, seq });

before(async () => {
  credentials = await (await makeTestAuthority()).issue('etcd.us-central1');
  cluster = await startEtcdCluster(credentials);
});
after(() => cluster?.stop());

arbiterConformance('etcd', async () => ({ open: () => open('/conformance/') }));

describe('etcd when members fail', () => {
  async function untilDecided(arbiter: Arbiter, expected: number | null, value: Lease): Promise<CasResult<Lease>> {
    for (let tries = 0; tries < 100; tries++) {
      const result = await arbiter.cas('lease', expected, value);
      if (result.ok || result.reason === 'conflict') return result;
    }
    return { ok: false, reason: 'unknown' };
  }

  it('ignores what else lies under the prefix', async () => {
    const arbiter = open('/');
    expect(await arbiter.read()).to.include({ lease: null });
    await arbiter.close();
  });

  it('carries on, and shows watchers every change, when the leader stops answering; the same write asked again is one write', async () => {
    const arbiter = open('/leader-loss/', HASTY_MS);
    const other = open('/leader-loss/', HASTY_MS);
    const first = await untilDecided(arbiter, null, lease('a', 0));
    expect(first.ok).to.equal(true);
    let seen = -1;
    const ending = new AbortController();
    const watching = other.watch((snapshot) => (seen = snapshot.lease?.value.seq ?? -1), ending.signal);
    let leader = await cluster.leader();
    for (; leader === null; leader = await cluster.leader()) await systemClock.sleep(50);
    cluster.signal(leader, 'SIGSTOP');
    try {
      const second = await untilDecided(arbiter, first.ok ? first.revision : null, lease('a', 1));
      expect(second.ok).to.equal(true);
      expect(await untilDecided(arbiter, first.ok ? first.revision : null, lease('a', 1))).to.deep.equal(second);
      while (seen !== 1) await systemClock.sleep(10);
    } finally {
      cluster.signal(leader, 'SIGCONT');
      ending.abort();
      await watching;
    }
    await Promise.all([arbiter.close(), other.close()]);
  });

  it('says unknown, never ok or conflict, while no majority answers; afterwards the same request decides it', async () => {
    const arbiter = open('/no-majority/', HASTY_MS);
    const first = await untilDecided(arbiter, null, lease('a', 0));
    const expected = first.ok ? first.revision : null;
    try {
      await Promise.all([cluster.hold(0), cluster.hold(1)]);
      expect(await arbiter.cas('lease', expected, lease('a', 1))).to.deep.equal({ ok: false, reason: 'unknown' });
      const error = await arbiter.read().catch((caught: unknown) => caught);
      expect(error).to.have.property('code', 'arbiter-unavailable');
    } finally {
      cluster.signal(0, 'SIGCONT');
      cluster.signal(1, 'SIGCONT');
    }
    expect(await untilDecided(arbiter, expected, lease('a', 1))).to.have.property('ok', true);
    await arbiter.close();
  });

  it('says unknown when nobody is there, and refuses a certificate of another authority', async () => {
    const nobody = open('/x/', HASTY_MS, ['https://127.0.0.1:1']);
    expect(await nobody.cas('lease', null, lease('a', 0))).to.deep.equal({ ok: false, reason: 'unknown' });
    await nobody.close();
    const stranger = await (await makeTestAuthority()).issue('controller.us-east1');
    const refused = openEtcd({
      endpoints: cluster.endpoints,
      prefix: '/x/',
      credentials: { ...stranger, ca: credentials.ca },
      rpcMs: HASTY_MS,
      silenceMs: SILENCE_MS,
      clock: systemClock,
    });
    expect(await refused.read().catch((caught: unknown) => caught)).to.have.property('code', 'arbiter-unavailable');
    await refused.close();
  });
});
