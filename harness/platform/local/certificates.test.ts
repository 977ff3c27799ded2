import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { makeCertificates, roleOf } from './certificates.ts';
import { podNamed, threeRegions } from './topology.ts';

describe('certificates', () => {
  const lab = threeRegions();
  let all: Awaited<ReturnType<typeof makeCertificates>>;
  before(async () => {
    all = await makeCertificates(lab.pods, new Date());
  });
  const of = (pod: string): { leaf: X509Certificate; between: X509Certificate | undefined; ca: X509Certificate; keyPem: string } => {
    const credentials = all.get(pod);
    if (credentials === undefined) throw new Error(`${pod} has none`);
    const [leaf = '', between] = credentials.certPem.split(/(?<=-----END CERTIFICATE-----\n)/);
    return {
      leaf: new X509Certificate(leaf),
      between: between === undefined ? undefined : new X509Certificate(between),
      ca: new X509Certificate(credentials.caPem),
      keyPem: credentials.keyPem,
    };
  };

  it('gives every pod with a role an identity, and no other', () => {
    expect([...all.keys()]).to.have.members(lab.pods.filter((pod) => roleOf(pod) !== undefined).map((pod) => pod.name));
    expect(all.has('dns')).to.equal(false);
  });

  it('names role, region, pod and both addresses', () => {
    const { leaf, keyPem } = of('db-us-east1');
    expect(leaf.subject).to.equal('CN=database.us-east1');
    for (const host of ['db-us-east1', 'database.us-east1.coditect.test']) expect(leaf.checkHost(host), host).to.equal(host);
    const { ipv4, ipv6 } = podNamed(lab, 'db-us-east1');
    for (const address of [ipv4, ipv6]) expect(leaf.checkIP(address), address).to.equal(address);
    expect(leaf.checkPrivateKey(createPrivateKey(keyPem))).to.equal(true);
    expect(of('api-us-east1').leaf.checkHost('api.coditect.test')).to.equal('api.coditect.test');
    expect(leaf.checkHost('api.coditect.test')).to.equal(undefined);
  });

  it('chains everyone to the lab, and only those who may use the arbiter through its own authority', () => {
    const arbiterCa = new X509Certificate(all.get('operator')?.arbiterCaPem ?? '');
    for (const pod of all.keys()) {
      const { leaf, between, ca } = of(pod);
      const mayUseArbiter = /^(db|dr-controller|etcd)-/.test(pod);
      expect(between !== undefined, pod).to.equal(mayUseArbiter);
      expect(leaf.verify((between ?? ca).publicKey) && (between ?? ca).verify(ca.publicKey), pod).to.equal(true);
      expect(leaf.verify(arbiterCa.publicKey), pod).to.equal(mayUseArbiter);
    }
  });
});
