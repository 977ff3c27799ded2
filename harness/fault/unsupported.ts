/** Every kind and action of Chaos Mesh that no FaultKind of ours does, with what it would need. Removed from here when one does. */
const NOT_YET: Readonly<Record<string, Readonly<Record<string, string>> | string>> = {
  NetworkChaos: {
    netem: 'it needs the kernel module sch_netem or a relay of our own',
    delay: 'it needs the kernel module sch_netem or a relay of our own',
    duplicate: 'no fault kind of ours does it',
    corrupt: 'it needs a relay that changes packets after their checksum',
    bandwidth: 'no fault kind of ours does it',
  },
  IOChaos: 'it needs a FUSE file system under the pod',
  DNSChaos: 'it needs a DNS server of our own in front of the resolvers',
  HTTPChaos: 'it needs an HTTP proxy in front of each pod',
  JVMChaos: 'no pod of the lab runs a JVM',
  KernelChaos: 'it needs kernel fault injection',
  BlockChaos: 'it needs a kernel module of Chaos Mesh',
  AWSChaos: 'it acts on a cloud account',
  AzureChaos: 'it acts on a cloud account',
  GCPChaos: 'it acts on a cloud account',
  PhysicalMachineChaos: {
    clock: 'write it as TimeChaos',
    'network-partition': 'write it as NetworkChaos partition',
    'stress-cpu': 'write it as StressChaos',
  },
  Schedule: 'a scenario says when a fault is injected',
  Workflow: 'a scenario says which faults follow each other',
  StatusCheck: 'the vantages of a scenario check the service',
};

/** Why this kind or action cannot be used, for the error message. */
export function refusalOf(kind: string, action?: string, known?: string): string {
  const entry = NOT_YET[kind];
  if (action === undefined) {
    if (typeof entry === 'string') return `${kind} is not yet supported locally: ${entry}`;
    return `unknown kind \`${kind}\`; Chaos Mesh has no such experiment that could be run here`;
  }
  const reason = typeof entry === 'object' ? entry[action] : undefined;
  if (reason !== undefined) return `${kind} ${action} is not yet supported locally: ${reason}; supported: ${known}`;
  return `unknown action \`${action}\` of ${kind}; supported: ${known}`;
}
