import { stringify } from 'yaml';
import { makeAuthority, makeCertificate, type Authority } from '../../local/certificates.ts';

/** Who takes part in the control plane: name and group, as the API server reads them from a certificate. */
const CLIENTS = {
  /** Everything that belongs to the cluster itself: controller manager, node agent, chaos controller, whoever sets it up. */
  cluster: 'CN=coditect-dr-cluster, O=system:masters',
  /** The API server as a client of the node agent. */
  apiserver: 'CN=kube-apiserver, O=coditect-dr-nodes',
  /** The game day: no more rights than the role that it is given. */
  gameday: 'CN=gameday',
} as const;
export type Client = keyof typeof CLIENTS;

export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}
export interface Identities {
  readonly caPem: string;
  readonly server: KeyPair;
  readonly clients: Readonly<Record<Client, KeyPair>>;
}

/** An authority of the cluster's own, its server certificate, and one certificate for each client. */
export async function makeIdentities(addresses: readonly string[], now: Date): Promise<Identities> {
  const authority = await makeAuthority('CN=coditect-dr cluster', now);
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const clients = Object.entries(CLIENTS).map(async ([name, subject]) => [
    name,
    await issue(authority, { subject, names: [], addresses: [] }),
  ]);
  return {
    caPem: authority.pem,
    server: await issue(authority, { subject: 'CN=kube-apiserver', names, addresses }),
    clients: Object.fromEntries(await Promise.all(clients)) as Identities['clients'],
  };
}

async function issue(authority: Authority, identity: Parameters<typeof makeCertificate>[1]): Promise<KeyPair> {
  const { certificatePem, keyPem } = await makeCertificate(authority, identity);
  return { certPem: certificatePem, keyPem };
}

/** One context for each of `contexts`, all of them this cluster, as this client. Pure. */
export function kubeconfig(identities: Identities, client: Client, server: string, contexts: readonly string[]): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const { certPem, keyPem } = identities.clients[client];
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster: { server, 'certificate-authority-data': base64(identities.caPem) } }],
    users: [{ name: client, user: { 'client-certificate-data': base64(certPem), 'client-key-data': base64(keyPem) } }],
    contexts: contexts.map((name) => ({ name, context: { cluster: 'lab', user: client, namespace: 'coditect' } })),
    'current-context': contexts[0],
  });
}
