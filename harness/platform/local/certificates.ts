import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { SERVICE_NAME, ZONE, type App, type PodSpec } from './topology.ts';

export type Role = 'api' | 'database' | 'controller' | 'etcd' | 'client' | 'operator';

const ROLES: Readonly<Partial<Record<App, Role>>> = {
  api: 'api',
  db: 'database',
  'dr-controller': 'controller',
  etcd: 'etcd',
  client: 'client',
  operator: 'operator',
};
/**
 * Who may speak to etcd carries this name. etcd cannot be told to insist on it (--client-cert-allowed-hostname): its JSON gateway then refuses
 * etcd's own certificate ("client certificate authentication failed") and answers nobody, seen with 3.4.23.
 */
const ARBITER_CLIENT = `arbiter-client.${ZONE}`;
const MAY_USE_ARBITER: readonly Role[] = ['database', 'controller', 'etcd'];

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const VALID_MS = 48 * 3600 * 1000;
/** Clocks of a lab are one clock; the margin is for people who copy a certificate to another machine. */
const BACKDATED_MS = 3600 * 1000;

export interface Credentials {
  readonly caPem: string;
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
  if (MAY_USE_ARBITER.includes(role)) names.push(ARBITER_CLIENT);
  return names;
}

/**
 * Makes an authority and one certificate per pod with a role (ECDSA P-256, for servers and clients alike). The authority's key is never
 * written: nobody can add an identity to a running lab.
 */
export async function makeCertificates(pods: readonly PodSpec[], now: Date): Promise<ReadonlyMap<string, Credentials>> {
  x509.cryptoProvider.set(webcrypto);
  const span = { notBefore: new Date(now.getTime() - BACKDATED_MS), notAfter: new Date(now.getTime() + VALID_MS) };
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...span,
    serialNumber: serial(),
    name: 'CN=coditect-dr lab',
    keys: keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const caPem = `${authority.toString('pem')}\n`;
  const issue = async (pod: PodSpec, role: Role): Promise<readonly [string, Credentials]> => [
    pod.name,
    { caPem, ...(await leaf(pod, role, { ...span, authority, signingKey: keys.privateKey })) },
  ];
  const issued = pods.flatMap((pod) => {
    const role = roleOf(pod);
    return role === undefined ? [] : [issue(pod, role)];
  });
  return new Map(await Promise.all(issued));
}

interface Issuer {
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly authority: x509.X509Certificate;
  readonly signingKey: webcrypto.CryptoKey;
}

async function leaf(pod: PodSpec, role: Role, issuer: Issuer): Promise<Omit<Credentials, 'caPem'>> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const publicKey = keys.publicKey;
  const certificate = await x509.X509CertificateGenerator.create({
    notBefore: issuer.notBefore,
    notAfter: issuer.notAfter,
    serialNumber: serial(),
    subject: `CN=${role}.${pod.region}`,
    issuer: issuer.authority.subject,
    publicKey,
    signingKey: issuer.signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...alternativeNames(pod, role).map((value) => ({ type: 'dns' as const, value })),
        ...[pod.ipv4, pod.ipv6].map((value) => ({ type: 'ip' as const, value })),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.authority),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { certPem: `${certificate.toString('pem')}\n`, keyPem: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n` };
}

/** Positive and 15 bytes: RFC 5280 allows at most 20. */
function serial(): string {
  return `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(14))).toString('hex')}`;
}
