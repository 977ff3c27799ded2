import type { RunResult } from '../check/verdict.ts';

/** What a reader could take this run to prove, and it does not. Each sentence comes from how this very run was made. */
export function doesNotProve({ scenario, measurement, events }: RunResult): readonly string[] {
  const platform = playedOn({ scenario, events });
  const ownApi = events.some((event) => event.kind === 'run-started' && event.ledger === 'templates');
  const inLab = platform !== 'addresses' && !ownApi;
  return [
    ...(platform === 'addresses' ? LIMITS_OF_ADDRESSES : ownApi ? LIMITS_OF_A_NODES_WORD : LIMITS_OF_LABS),
    ...(ownApi ? LIMITS_OF_TEMPLATES : platform === 'kubernetes' ? LIMITS_WITHOUT_CONTAINERS : []),
    'Load: clients send a steady, small stream; behaviour at capacity is not part of this run.',
    ...(scenario.database === 'foundationdb'
      ? [
          ...(scenario.foundationdb === 'pair' ? LIMITS_OF_A_PAIR : LIMITS_OF_FOUNDATIONDB),
          OTHER_LAYOUTS[scenario.foundationdb ?? 'three_datacenter'],
        ]
      : []),
    scenario.policy === 'lab' && inLab
      ? 'Production timing: the lab policy uses shorter probe, lease and DNS times than the production preset; recovery with that preset takes longer.'
      : null,
    'More than this one run: it is a single sample. The spread is measured by `./scripts/bench recovery`.',
    scenario.replication === 'sync' && measurement.writes.recoveryPointMs === 0 && inLab
      ? 'Loss of several regions at once: nothing was lost because a standby in another region held every acknowledged write.'
      : null,
    ...(measurement.writes.unknown > 0
      ? [
          `The fate of ${measurement.writes.unknown} writes whose client got no answer: they count neither as lost nor as kept, wherever they ended up.`,
        ]
      : []),
    ...(measurement.backups?.made.length || scenario.backup
      ? ['Google Cloud Storage: the store is a folder or an emulator on this machine; how a real bucket fails is not part of this run.']
      : []),
    ...hiddenBulk(measurement),
    ...censoredVantages(measurement),
    ...events.filter((event) => event.kind === 'fault-planned').flatMap((event) => event.notes.map((note) => `${event.fault}: ${note}`)),
  ].filter((line) => line !== null);
}

/** Where it was played, which need not be what the scenario says. */
export function playedOn({ scenario, events }: Pick<RunResult, 'scenario' | 'events'>): string {
  const started = events.find((event) => event.kind === 'run-started');
  return started?.platform ?? scenario.platform;
}

const LIMITS_OF_LABS = [
  'Distance: the regions of the lab are on one machine, without the latency, jitter and bandwidth limits between real regions.',
  'Loss of a machine: processes were killed or cut off, but the kernel and its page cache lived on. Power loss is covered by the crash-image tests, not by this run.',
] as const;
const LIMITS_OF_ADDRESSES = [
  'Faults: nothing was injected, and nobody looked into the system. What else happened to it while the run lasted is not in the record.',
  'Distance: all clients were on one machine, whatever region each of them stands for; only their resolvers differed.',
] as const;
const LIMITS_OF_A_NODES_WORD = [
  'What happened inside the cluster: that a container ended is the word of its node, by way of the API server, not of a probe of ours.',
  'Distance: all clients were on one machine, whatever region each of them stands for.',
] as const;
const LIMITS_OF_TEMPLATES = [
  'Copies and regions: the service has an API of its own, so which of its parts answered, whether two of them ruled at a time, and whether it is redundant again is not known.',
] as const;
const LIMITS_OF_FOUNDATIONDB = [
  'The copies of each region apart: FoundationDB shows one database, so every region was read back from that, and that itself with fdbcli, past the engine; that its copies are whole is its own word, asked past the engine.',
  'Another beginning: FoundationDB had its transaction system in the primary region when the run began. Where a new cluster has it is chance; a service that is apart from it lives through other failures.',
] as const;
const LIMITS_OF_A_PAIR = [
  'Two copies that are really apart: the third region has no cluster and was read back from that of the second; that the copy is whole and runs is the word of fdbdr, asked past the engine.',
  'Where lost writes are kept: an engine on a pair exports no divergent tail; they are in the cluster that was left behind, until somebody makes it the copy again.',
] as const;
const OTHER_LAYOUTS = {
  three_datacenter: 'Other ways to replicate: the cluster was `three_datacenter`; regions with satellites and `fdbdr` recover otherwise.',
  two_regions: 'Other ways to replicate: the cluster had two regions and a satellite; `three_datacenter` and `fdbdr` recover otherwise.',
  pair: 'Other ways to replicate: two clusters, one kept as a copy of the other by fdbdr; one cluster in several regions recovers by itself.',
} as const;
const LIMITS_WITHOUT_CONTAINERS = [
  "Chaos Mesh and containers: the API server was real, pods were processes of this machine, and a controller of ours stood in for Chaos Mesh's.",
  'Failures of the cluster itself: only what the fault selected was broken.',
] as const;

/** What is there may be what nobody was acknowledged, in place of what somebody was, where only the number of answers is known. */
function hiddenBulk({ backups }: RunResult['measurement']): readonly string[] {
  return (backups?.bulk ?? []).flatMap(({ name, requests, acknowledged, kept, known }) => {
    const gone = requests - kept;
    const hidden = Math.min(gone, requests - acknowledged);
    return known || hidden <= 0
      ? []
      : [
          `Every acknowledged write of bulk load ${name}: ${gone} of its ${requests} are not there, ${acknowledged} were acknowledged, and which ones is not known. Up to ${hidden} of those that are gone may be among them.`,
        ];
  });
}

function censoredVantages(measurement: RunResult['measurement']): readonly string[] {
  return measurement.vantages
    .filter((vantage) => !vantage.mustRecover && vantage.recovery.some(({ recovery }) => recovery.state === 'censored'))
    .map(
      (vantage) =>
        `Recovery of ${vantage.vantage}: it was inside the fault, is not part of the objective, and did not see service return while it lasted.`,
    );
}
