import process from 'node:process';
import { stringify } from 'yaml';
import type { Credentials } from './certificates.ts';
import { knotConfig, resolvConf, unboundConfig, zoneFile } from './dns-config.ts';
import { RIGHT_CLOCK } from './fake-clock.ts';
import { backupKeyFiles, storeCommand, type BackupKeys } from './backup-config.ts';
import { needPairPrograms } from '../foundationdb-programs.ts';
import { agentCommand, CLUSTER_FILE, clusterFile, pairFiles, serverCommand } from './foundationdb.ts';
import { engineConfig, MAKES_BACKUPS, type EngineSettings } from './engine-config.ts';
import { PORTS, podOf, resolverOf, ZONE, type PodSpec, type Topology } from './topology.ts';

/** Where every pod sees its own folder. */
export const POD_ROOT = '/run/pod';

export interface LabSettings extends EngineSettings {
  /** The engine's program, `dist/src/main.js`; a known-bad engine puts its own here. */
  readonly engineMain: string;
  /** null: this lab makes no backups. */
  readonly backupKeys: BackupKeys | null;
  /** base64; the key with which the engine signs DNS updates. */
  readonly tsigSecret: string;
  /** Paths of the servers that are not simply the ones in PATH (confinement.ts). */
  readonly programs: Readonly<Record<string, string>>;
  /** What every program of the lab gets to see as environment, and nothing else. */
  readonly environment: Readonly<Record<string, string>>;
  /** Only engine programs get this. */
  readonly engineEnvironment: Readonly<Record<string, string>>;
}

export interface PodFile {
  readonly path: string;
  readonly text: string;
  readonly secret?: boolean;
  readonly executable?: boolean;
}

/** How to see from outside that a program serves. `none`: it is ready as soon as it runs. */
export type Readiness =
  { readonly kind: 'tcp'; readonly port: number } | { readonly kind: 'dns'; readonly name: string } | { readonly kind: 'none' };

export interface ServiceSpec {
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
  /** Written into the pod's folder before the first start. */
  readonly files: readonly PodFile[];
  readonly readiness: Readiness;
  /** stdout is the engine's NDJSON log. */
  readonly speaksNdjson: boolean;
}

/** What runs in a pod, with every file it needs. Pure. */
export function serviceOf(topology: Topology, pod: PodSpec, settings: LabSettings, credentials: Credentials | undefined): ServiceSpec {
  const program = programOf(topology, pod, settings);
  return {
    speaksNdjson: false,
    ...program,
    environment: program.speaksNdjson === true ? { ...settings.environment, ...settings.engineEnvironment } : settings.environment,
    files: [
      RIGHT_CLOCK,
      { path: 'resolv.conf', text: resolvConf(resolverOf(topology, pod)) },
      ...(credentials === undefined ? [] : credentialFiles(credentials)),
      ...program.files,
    ],
  };
}

type Program = Pick<ServiceSpec, 'command' | 'files' | 'readiness'> & { readonly speaksNdjson?: boolean };

function programOf(topology: Topology, pod: PodSpec, settings: LabSettings): Program {
  switch (pod.app) {
    case 'api':
    case 'db':
    case 'dr-controller':
      return engineProgram(topology, pod, settings);
    case 'etcd':
      return etcdProgram(topology, pod);
    case 'dns':
      return {
        command: [settings.programs['knotd'] ?? 'knotd', '-c', `${POD_ROOT}/knot.conf`],
        files: [
          { path: 'knot.conf', text: knotConfig(pod, POD_ROOT, settings.tsigSecret), secret: true },
          { path: 'zone', text: zoneFile(topology, settings.policy === 'lab' ? 1 : 30) },
        ],
        readiness: { kind: 'dns', name: ZONE },
      };
    case 'resolver':
      return {
        command: [settings.programs['unbound'] ?? 'unbound', '-d', '-p', '-c', `${POD_ROOT}/unbound.conf`],
        files: [{ path: 'unbound.conf', text: unboundConfig(topology, pod, POD_ROOT) }],
        // Answered from memory: a resolver that is cut off from the zone's server is nevertheless ready.
        readiness: { kind: 'dns', name: 'localhost' },
      };
    case 'backup':
    case 'restore':
      return backupProgram(topology, pod, settings);
    case 'store':
      return {
        command: storeCommand(pod, settings.programs['fake-gcs-server'] ?? 'fake-gcs-server', `${POD_ROOT}/data`),
        files: [],
        readiness: { kind: 'tcp', port: PORTS.store },
      };
    case 'fdb':
      return foundationdbProgram(topology, pod, settings);
    case 'dr-agent':
      return agentProgram(topology, pod, settings);
    case 'client':
      return idle([]);
    case 'operator':
      return idle([...engineFiles(topology, pod, settings), engineWrapper(settings.engineMain), ...fdbcliFiles(topology, settings)]);
  }
}

/** A pod that only gives a place in the network: the vantages and the operator's shell run there. */
function idle(files: readonly PodFile[]): Program {
  return { command: ['sleep', 'infinity'], files, readiness: { kind: 'none' } };
}

/** `coditect-dr` for the operator's shell: with the operator's identity, unless another configuration is named (or none is wanted). */
function engineWrapper(engineMain: string): PodFile {
  const text = `#!/bin/sh
case " $* " in
  *" --config"* | *" backup keygen "*) ;;
  *) [ $# -eq 0 ] || set -- "$@" --config ${POD_ROOT}/config.yaml ;;
esac
exec "${process.execPath}" "${engineMain}" "$@"
`;
  return { path: 'bin/coditect-dr', text, executable: true };
}

/** `fdbcli` for the operator's shell, on the lab's cluster. */
function fdbcliFiles(topology: Topology, { foundationdb }: LabSettings): readonly PodFile[] {
  if (!foundationdb) return [];
  const text = `#!/bin/sh\nexec "${foundationdb.fdbcli}" -C ${POD_ROOT}/${CLUSTER_FILE} "$@"\n`;
  const { pair } = foundationdb;
  const fdbdr =
    topology.foundationdb === 'pair' && pair !== undefined
      ? [{ path: 'bin/fdbdr', text: `#!/bin/sh\nexec "${pair.fdbdr}" "$@"\n`, executable: true }]
      : [];
  return [
    { path: CLUSTER_FILE, text: clusterFile(topology) },
    ...pairFiles(topology),
    { path: 'bin/fdbcli', text, executable: true },
    ...fdbdr,
  ];
}

/** `backup-service`, or nothing but a place to order backups and restores in. */
function backupProgram(topology: Topology, pod: PodSpec, settings: LabSettings): Program {
  const files = [...engineFiles(topology, pod, settings), engineWrapper(settings.engineMain)];
  if (pod.app === 'restore' || !settings.backup?.service) return idle(files);
  return {
    command: [process.execPath, settings.engineMain, 'backup-service', '--config', `${POD_ROOT}/config.yaml`],
    files,
    readiness: { kind: 'none' },
    speaksNdjson: true,
  };
}

const ENGINE_COMMAND = { api: 'api', db: 'database', 'dr-controller': 'controller' } as const;

function engineProgram(topology: Topology, pod: PodSpec, settings: LabSettings): Program {
  const app = pod.app as keyof typeof ENGINE_COMMAND;
  return {
    command: [process.execPath, settings.engineMain, ENGINE_COMMAND[app], '--config', `${POD_ROOT}/config.yaml`],
    files: [...engineFiles(topology, pod, settings), ...(app === 'db' && settings.backup ? [engineWrapper(settings.engineMain)] : [])],
    readiness: { kind: 'tcp', port: PORTS[app] },
    speaksNdjson: true,
  };
}

function engineFiles(topology: Topology, pod: PodSpec, settings: LabSettings): readonly PodFile[] {
  return [
    { path: 'config.yaml', text: stringify(engineConfig(topology, pod, settings)) },
    ...(settings.foundationdb && (pod.app === 'db' || pod.app === 'backup')
      ? [{ path: CLUSTER_FILE, text: clusterFile(topology) }, ...pairFiles(topology)]
      : []),
    { path: 'secrets/tsig', text: `${settings.tsigSecret}\n`, secret: true },
    ...(settings.backupKeys === null || !MAKES_BACKUPS.includes(pod.app) ? [] : backupKeyFiles(settings.backupKeys, pod.app)),
  ];
}

function credentialFiles(credentials: Credentials): readonly PodFile[] {
  return [
    { path: 'tls/ca.crt', text: credentials.caPem },
    { path: 'tls/arbiter-ca.crt', text: credentials.arbiterCaPem },
    { path: 'tls/tls.crt', text: credentials.certPem },
    { path: 'tls/tls.key', text: credentials.keyPem, secret: true },
  ];
}

function foundationdbProgram(topology: Topology, pod: PodSpec, { foundationdb }: LabSettings): Program {
  if (!foundationdb) throw new RangeError(`${pod.name}: this lab has no FoundationDB`);
  return {
    command: serverCommand(pod, foundationdb, { topology, podRoot: POD_ROOT }),
    files: [{ path: CLUSTER_FILE, text: clusterFile(topology, pod.region) }],
    readiness: { kind: 'tcp', port: PORTS.fdb },
  };
}

function agentProgram(topology: Topology, pod: PodSpec, { foundationdb }: LabSettings): Program {
  if (!foundationdb) throw new RangeError(`${pod.name}: this lab has no FoundationDB`);
  return {
    command: agentCommand(pod, needPairPrograms(foundationdb), topology, POD_ROOT),
    files: pairFiles(topology),
    readiness: { kind: 'none' },
  };
}

/** One member of the three-region quorum. Its data is on the pod's tmpfs: fdatasync on a shared disk would be measured as recovery time. */
function etcdProgram(topology: Topology, pod: PodSpec): Program {
  const peerUrl = (member: PodSpec): string => `https://${member.ipv4}:${PORTS.etcdPeer}`;
  const members = topology.regions.map((region) => podOf(topology, 'etcd', region));
  const tls = { cert: `${POD_ROOT}/tls/tls.crt`, key: `${POD_ROOT}/tls/tls.key` };
  const flags = {
    name: pod.name,
    'data-dir': `${POD_ROOT}/etcd`,
    'listen-client-urls': `https://${pod.ipv4}:${PORTS.etcd}`,
    'advertise-client-urls': `https://${pod.ipv4}:${PORTS.etcd}`,
    'listen-peer-urls': peerUrl(pod),
    'initial-advertise-peer-urls': peerUrl(pod),
    'initial-cluster': members.map((member) => `${member.name}=${peerUrl(member)}`).join(','),
    'initial-cluster-state': 'new',
    'pre-vote': 'true',
    'heartbeat-interval': '50',
    'election-timeout': '500',
    'client-cert-auth': 'true',
    'trusted-ca-file': `${POD_ROOT}/tls/arbiter-ca.crt`,
    'cert-file': tls.cert,
    'key-file': tls.key,
    'peer-client-cert-auth': 'true',
    'peer-trusted-ca-file': `${POD_ROOT}/tls/arbiter-ca.crt`,
    'peer-cert-file': tls.cert,
    'peer-key-file': tls.key,
    logger: 'zap',
    'log-level': 'warn',
  };
  return {
    command: ['etcd', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)],
    files: [],
    readiness: { kind: 'tcp', port: PORTS.etcd },
  };
}
