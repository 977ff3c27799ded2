const CLOUD = 'it acts on a cloud account, which no system’s file can allow';
const INTERNAL = 'Chaos Mesh writes by itself what it describes; write the experiment';

/** Of Chaos Mesh, and applied nowhere: what they reach is not what a lab has or a system's file names. */
const REFUSED: Readonly<Record<string, string>> = {
  AWSChaos: CLOUD,
  AzureChaos: CLOUD,
  GCPChaos: CLOUD,
  BlockChaos: 'it acts on a block device of the node, by a kernel module of Chaos Mesh: other pods may use it',
  KernelChaos: 'all pods of a node share its kernel, also those that a system’s file does not name',
  RemoteCluster: 'it names another cluster; give that a context in the system’s file',
  Schedule: 'a scenario says when a fault is injected',
  Workflow: 'a scenario says which faults follow each other',
  WorkflowNode: 'a scenario says which faults follow each other',
  StatusCheck: 'the vantages of a scenario check the service',
  PhysicalMachine: 'it names a machine outside the clusters',
  PodNetworkChaos: INTERNAL,
  PodIOChaos: INTERNAL,
  PodHttpChaos: INTERNAL,
  'IOChaos mistake': 'it writes wrong data into the volume, which no heal takes back, and which others may share',
  'JVMChaos ruleData': 'it is a program, which may reach whatever the pod reaches; write one of the other actions',
};

/** Every other kind and action of Chaos Mesh that no FaultKind of ours does, with what it would need. Removed from here when one does. */
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
  PhysicalMachineChaos: {
    clock: 'write it as TimeChaos',
    'network-partition': 'write it as NetworkChaos partition',
    'stress-cpu': 'write it as StressChaos',
  },
};

/** Why this kind or action cannot be used, for the error message. */
export function refusalOf(kind: string, action?: string, known?: string): string {
  const entry = NOT_YET[kind];
  if (action === undefined) {
    const refused = REFUSED[kind];
    if (refused !== undefined) return `${kind} is refused: ${refused}`;
    if (typeof entry === 'string') return `${kind} is not yet supported locally: ${entry}`;
    return `unknown kind \`${kind}\`; Chaos Mesh has no such experiment that could be run here`;
  }
  const refused = REFUSED[`${kind} ${action}`];
  if (refused !== undefined) return `${kind} ${action} is refused: ${refused}; supported: ${known}`;
  const reason = typeof entry === 'object' ? entry[action] : undefined;
  if (reason !== undefined) return `${kind} ${action} is not yet supported locally: ${reason}; supported: ${known}`;
  return `unknown action \`${action}\` of ${kind}; supported: ${known}`;
}
