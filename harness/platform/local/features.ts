import process from 'node:process';
import { HarnessError } from '../errors.ts';
import { run } from '../process.ts';
import { findFoundationdb, HOW, NO_PAIR_PROGRAMS } from '../foundationdb-programs.ts';
import { findTool } from '../tools.ts';
import { appArmorActive } from './confinement.ts';
import { sandboxCommand, sandboxFix } from './sandbox.ts';

export interface Feature {
  readonly name: string;
  /** true, or why not. */
  readonly has: true | string;
  /** A lab cannot start without it. */
  readonly required: boolean;
  readonly usedFor: string;
  readonly fix: string;
  /** Version, where there is one. */
  readonly version?: string;
}

interface Probe {
  readonly name: string;
  /** Shell commands; they are tried in a sandbox of their own, so that they may do what they like. */
  readonly script: string;
  readonly required: boolean;
  readonly usedFor: string;
  readonly fix: string;
}

const needsKernel = (option: string): string =>
  `needs a kernel with ${option} (apt-get install linux-image-amd64, or modprobe of its module by root)`;

const KERNEL_PROBES: readonly Probe[] = [
  {
    name: 'bridge and veth',
    script: 'ip link add br9 type bridge && ip link add v0 type veth peer name v1 && ip link set v0 master br9',
    required: true,
    usedFor: "the lab's network",
    fix: needsKernel('CONFIG_BRIDGE and CONFIG_VETH'),
  },
  {
    name: 'IPv6',
    script: 'ip -6 addr add fd00::1/64 dev lo nodad',
    required: true,
    usedFor: 'pods have addresses of both families',
    fix: 'boot without ipv6.disable=1',
  },
  {
    name: 'nft bridge family',
    script:
      'nft \'add table bridge t; add chain bridge t c { type filter hook forward priority 0; }; add rule bridge t c iifname . oifname { "a" . "b" } counter drop\'',
    required: true,
    usedFor: 'partitions',
    fix: needsKernel('CONFIG_NF_TABLES_BRIDGE'),
  },
  {
    name: 'nft numgen',
    script:
      "nft 'add table bridge t; add chain bridge t c { type filter hook forward priority 0; }; add rule bridge t c numgen random mod 100 < 1 drop'",
    required: false,
    usedFor: 'loss',
    fix: needsKernel('CONFIG_NFT_NUMGEN'),
  },
  {
    name: 'tc netem',
    script: qdisc('netem delay 1ms'),
    required: false,
    usedFor: 'delay, corruption',
    fix: needsKernel('CONFIG_NET_SCH_NETEM'),
  },
  {
    name: 'tc tbf',
    script: qdisc('tbf rate 1mbit burst 10k latency 50ms'),
    required: false,
    usedFor: 'bandwidth',
    fix: needsKernel('CONFIG_NET_SCH_TBF'),
  },
  { name: 'tc htb', script: qdisc('htb'), required: false, usedFor: 'bandwidth by target', fix: needsKernel('CONFIG_NET_SCH_HTB') },
  {
    name: 'tc prio',
    script: qdisc('prio'),
    required: false,
    usedFor: 'delay by target, as Chaos Mesh does',
    fix: needsKernel('CONFIG_NET_SCH_PRIO'),
  },
  {
    name: 'tun',
    script: 'ip tuntap add dev tun9 mode tun',
    required: false,
    usedFor: 'delay without netem',
    fix: 'needs /dev/net/tun (modprobe tun; in a container --device /dev/net/tun)',
  },
  {
    name: 'fuse',
    script: 'exec 3<>/dev/fuse',
    required: false,
    usedFor: 'file system faults',
    fix: 'needs /dev/fuse (modprobe fuse; in a container --device /dev/fuse)',
  },
  {
    name: 'device-mapper',
    script: 'test -c /dev/mapper/control || { echo there is no /dev/mapper/control >&2; exit 1; }; exec 3<>/dev/mapper/control',
    required: false,
    usedFor: 'disk faults',
    fix: `${needsKernel('CONFIG_BLK_DEV_DM')}, as root`,
  },
];

function qdisc(kind: string): string {
  return `ip link add v0 type veth peer name v1 && tc qdisc add dev v0 root ${kind}`;
}

interface Tool {
  readonly name: string;
  readonly version: string;
  readonly packageName: string;
  readonly usedFor: string;
  readonly required: boolean;
}

const tool = (name: string, version: string, packageName: string, usedFor: string): Tool => ({
  name,
  version,
  packageName,
  usedFor,
  required: true,
});

const TOOLS: readonly Tool[] = [
  tool('etcd', '--version', 'etcd-server', 'the arbiter'),
  tool('knotd', '--version', 'knot', 'authoritative DNS'),
  tool('unbound', '-V', 'unbound', 'caching resolvers'),
  tool('dig', '-v', 'bind9-dnsutils', 'looking into DNS'),
  tool('nft', '--version', 'nftables', 'partitions'),
  tool('ip', '-V', 'iproute2', "the lab's network"),
  tool('tini', '--version', 'tini', "the sandbox's init"),
  tool('unshare', '--version', 'util-linux', 'the sandbox'),
  tool('setpriv', '--version', 'util-linux', 'the sandbox'),
  tool('ps', '--version', 'procps', 'looking into the lab'),
  tool('openssl', 'version', 'openssl', 'checking certificates and signatures'),
  { ...tool('strace', '--version', 'strace', 'the proof of durability'), required: false },
  { ...tool('faketime', '--version', 'faketime', 'moving clocks (TimeChaos)'), required: false },
  { ...tool('java', '--version', 'default-jre-headless', 'the Allure report'), required: false },
];

/** Built by ./scripts/setup with Go; scenarios that need one are refused without it. */
const BUILT = [
  { name: 'fake-gcs-server', module: 'github.com/fsouza/fake-gcs-server@v1.56.1', usedFor: 'backups to a bucket' },
  { name: 'k6', module: 'go.k6.io/k6@v1.8.1', usedFor: 'bulk load' },
] as const;

function builtFeature({ name, module, usedFor }: (typeof BUILT)[number]): Feature {
  const has = findTool(name) === undefined ? 'not installed' : (true as const);
  return { name, has, required: false, usedFor, fix: `go install ${module} (./scripts/setup does it)` };
}

/** Set-up gets it only where it is told to: no registry has it. A pair wants programs that not everybody who has the others has. */
export function foundationdbFeatures(found: ReturnType<typeof findFoundationdb>): readonly Feature[] {
  const has = typeof found === 'string' ? found : (true as const);
  const hasPair = typeof found === 'string' || found.pair !== undefined ? has : NO_PAIR_PROGRAMS;
  return [
    { name: 'FoundationDB', has, required: false, usedFor: 'scenarios on FoundationDB', fix: HOW },
    { name: 'fdbdr, dr_agent', has: hasPair, required: false, usedFor: 'scenarios on a pair of FoundationDB clusters', fix: HOW },
  ];
}

/** Everything that the lab needs or can use here, tried, not guessed. Never throws for what is missing. */
export async function probeFeatures(): Promise<readonly Feature[]> {
  const sandbox = await probeSandbox();
  const probe = sandbox.has === true ? probeKernel : notTried;
  const [kernelFeatures, tools, appArmor] = await Promise.all([
    Promise.all(KERNEL_PROBES.map(probe)),
    Promise.all(TOOLS.map(probeTool)),
    appArmorActive(),
  ]);
  return [
    sandbox,
    ...kernelFeatures,
    appArmorFeature(appArmor),
    ...tools,
    ...BUILT.map(builtFeature),
    ...foundationdbFeatures(findFoundationdb()),
  ];
}

function described({ name, required, usedFor, fix }: Probe): Omit<Feature, 'has'> {
  return { name, required, usedFor, fix };
}

function notTried(probe: Probe): Promise<Feature> {
  return Promise.resolve({ ...described(probe), has: 'no sandbox to try it in' });
}

async function probeSandbox(): Promise<Feature> {
  const isRoot = process.geteuid?.() === 0;
  const has = await inSandbox('mount -t tmpfs tmpfs /run && ip link set lo up');
  return {
    name: isRoot ? 'namespaces (as root)' : 'namespaces (as an ordinary user)',
    has,
    required: true,
    usedFor: 'the sandbox that every run is in',
    fix: has === true ? '' : sandboxFix(),
  };
}

async function probeKernel(probe: Probe): Promise<Feature> {
  return { ...described(probe), has: await inSandbox(probe.script) };
}

async function inSandbox(script: string): Promise<true | string> {
  const [program, ...args] = sandboxCommand(process.geteuid?.() === 0, ['sh', '-c', script]);
  try {
    await run(program, args);
    return true;
  } catch (error) {
    return reason(error);
  }
}

async function probeTool({ name, version, packageName, usedFor, required }: Tool): Promise<Feature> {
  const feature = { name, required, usedFor, fix: `apt-get install ${packageName} (./scripts/setup does it)` };
  try {
    const output = await run('sh', ['-c', `command -v ${name} >/dev/null || exit 127; exec ${name} ${version} 2>&1`]);
    const found = /\d+(\.\d+)+/.exec(output)?.[0];
    return { ...feature, has: true, ...(found === undefined ? {} : { version: found }) };
  } catch {
    return { ...feature, has: 'not installed' };
  }
}

/** Not something to have: something to know. */
function appArmorFeature(active: boolean): Feature {
  const usedFor = active ? 'active: unbound and knotd run from copies, outside their profiles' : 'not active: servers run as installed';
  return { name: 'AppArmor', has: true, required: false, usedFor, fix: '' };
}

function reason(error: unknown): string {
  const message = error instanceof HarnessError ? error.message : String(error);
  const said = message.slice(message.lastIndexOf('): ') + 3).split('\n')[0] ?? '';
  return said === '' ? 'refused' : said.slice(0, 120);
}
