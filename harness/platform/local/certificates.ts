import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { SERVICE_NAME, ZONE, type App, type PodSpec } from './topology.ts';

export type Role = 'api' | 'database' | 'controller' | 'etcd' | 'client' | 'operator' | 'backup';

const ROLES: Readonly<Partial<Record<App, Role>>> = {
  api: 'api',
  db: 'database',
  'dr-controller': 'controller',
  etcd: 'etcd',
  client: 'client',
  operator: 'operator',
  backup: 'backup',
  restore: 'database', // it runs a database of what was restored, with an arbiter's prefix of its own
};
/**
 * Who may speak to etcd. Their certificates come from an authority of their own below the lab's, and etcd trusts only that one. (Telling etcd to
 * insist on a name, --client-cert-allowed-hostname, makes its JSON gateway refuse etcd's own certificate and answer nobody, seen with 3.4.23.)
 */
const MAY_USE_ARBITER: readonly Role[] = ['database', 'controller', 'etcd', 'backup'];

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const VALID_MS = 48 * 3600 * 1000;
/** Clocks of a lab are one clock; the margin is for people who copy a certificate to another machine. */
const BACKDATED_MS = 3600 * 1000;

export interface Credentials {
  /** The lab's authority: what every program trusts. */
  readonly caPem: string;
  /** The authority of those who may use the arbiter: what etcd trusts in clients. */
  readonly arbiterCaPem: string;
  /** The certificate and, where there is one, the authority between it and the lab's. */
  readonly certPem: string;
  readonly keyPem: string;
}

/** The role that a pod's certificate states; undefined for pods that have none (DNS speaks no TLS). */
export function roleOf(pod: PodSpec): Role | undefined {
  return ROLES[pod.app];
}

/** Every name and address that a peer may know the pod by. Pure. */
export function alternativeNames(pod: PodSpec, role: Role): readonly string[] {
  const names = [pod.name, `${role}.${pod.region}.${ZONE}`];
  if (role === 'api') names.push(SERVICE_NAME);
  return names;
}

/**
 * Makes the authorities and one certificate per pod with a role (ECDSA P-256, for servers and clients alike). The authorities' keys are never
 * written: nobody can add an identity to a running lab.
 */
export async function makeCertificates(pods: readonly PodSpec[], now: Date): Promise<ReadonlyMap<string, Credentials>> {
  const lab = await makeAuthority('CN=coditect-dr lab', now);
  const arbiter = await makeAuthority('CN=coditect-dr lab arbiter', now, lab);
  const issue = async (pod: PodSpec, role: Role): Promise<readonly [string, Credentials]> => {
    const issuer = MAY_USE_ARBITER.includes(role) ? arbiter : lab;
    const names = alternativeNames(pod, role);
    const { certificatePem, keyPem } = await makeCertificate(issuer, {
      subject: `CN=${role}.${pod.region}`,
      names,
      addresses: [pod.ipv4, pod.ipv6],
    });
    const certPem = issuer === lab ? certificatePem : certificatePem + arbiter.pem;
    return [pod.name, { caPem: lab.pem, arbiterCaPem: arbiter.pem, certPem, keyPem }];
  };
  const issued = pods.flatMap((pod) => {
    const role = roleOf(pod);
    return role === undefined ? [] : [issue(pod, role)];
  });
  return new Map(await Promise.all(issued));
}

interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}
export interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly pem: string;
  readonly signingKey: webcrypto.CryptoKey;
  readonly validity: Validity;
}

/** Self-signed, or issued by `issuer`; ECDSA P-256, good for two days. */
export async function makeAuthority(name: string, now: Date, issuer?: Authority): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto);
  const validity = { notBefore: new Date(now.getTime() - BACKDATED_MS), notAfter: new Date(now.getTime() + VALID_MS) };
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity,
    serialNumber: serial(),
    subject: name,
    issuer: issuer?.certificate.subject ?? name,
    publicKey: keys.publicKey,
    signingKey: issuer?.signingKey ?? keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, issuer === undefined ? 1 : 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(issuer === undefined ? [] : [await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate)]),
    ],
  });
  return { certificate, pem: `${certificate.toString('pem')}\n`, signingKey: keys.privateKey, validity };
}

export interface Identity {
  readonly subject: string;
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

/** For servers and clients alike. */
export async function makeCertificate(
  issuer: Authority,
  { subject, names, addresses }: Identity,
): Promise<{ readonly certificatePem: string; readonly keyPem: string }> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    ...issuer.validity,
    serialNumber: serial(),
    subject,
    issuer: issuer.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: issuer.signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      ...(names.length + addresses.length === 0 ? [] : [alternatives(names, addresses)]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { certificatePem: `${certificate.toString('pem')}\n`, keyPem: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n` };
}

const alternatives = (names: readonly string[], addresses: readonly string[]): x509.SubjectAlternativeNameExtension =>
  new x509.SubjectAlternativeNameExtension([
    ...names.map((value) => ({ type: 'dns' as const, value })),
    ...addresses.map((value) => ({ type: 'ip' as const, value })),
  ]);

/** Positive and 15 bytes: RFC 5280 allows at most 20. */
function serial(): string {
  return `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(14))).toString('hex')}`;
}
