import { z } from 'zod';
import type { AskedDatabase, Expectation, FoundationdbLayout, LabDatabase, Scenario } from './scenario.ts';
import type { InputProblem, YamlDocument } from './yaml-decode.ts';

/** What is otherwise where it is played; what it does not say is as the scenario says. */
export interface LaidOver {
  readonly settleMs?: number;
  /** Of each step `awaitRecovery`. */
  readonly awaitRecoveryMs?: number;
  readonly recoveryTimeMs?: number;
  readonly failover?: Expectation['failover'];
  readonly outage?: Expectation['outage'];
}

/** What a scenario says of FoundationDB alone, and of two regions of it alone. */
export interface OnFoundationdb extends LaidOver {
  readonly twoRegions?: LaidOver;
}

/** As it stands in its file. */
export type WrittenScenario = Scenario & { readonly onFoundationdb: OnFoundationdb };

/** Where nobody says how FoundationDB replicates. */
export const DEFAULT_LAYOUT: FoundationdbLayout = 'three_datacenter';

/** The scenario as it is played on its database, or on the one that was asked for. On another than its own it has another name, so that no report takes the two for samples of one thing. */
export function onDatabase(written: WrittenScenario, asked: AskedDatabase | undefined): Scenario {
  const { onFoundationdb, ...scenario } = written;
  const own = { database: scenario.database ?? 'embedded', layout: scenario.foundationdb ?? DEFAULT_LAYOUT };
  const [database, layout = own.layout] = partsOf(asked ?? own.database);
  const elsewhere = database === own.database ? '' : `-on-${database}`;
  if (database === 'embedded') return { ...scenario, database, name: `${scenario.name}${elsewhere}` };
  const { twoRegions, ...ofAny } = onFoundationdb;
  return {
    ...laidOver(scenario, { ...ofAny, ...(layout === 'two_regions' ? twoRegions : {}) }),
    database,
    foundationdb: layout,
    name: `${scenario.name}${elsewhere}${layout === own.layout ? '' : `-${layout.replaceAll('_', '-')}`}`,
  };
}

function laidOver(scenario: Scenario, over: LaidOver): Scenario {
  const { expect, targets, method, settleMs } = scenario;
  const { awaitRecoveryMs: atMostMs } = over;
  return {
    ...scenario,
    settleMs: over.settleMs ?? settleMs,
    method: atMostMs === undefined ? method : method.map((step) => (step.do === 'await-recovery' ? { ...step, atMostMs } : step)),
    expect: { ...expect, failover: over.failover ?? expect.failover, outage: over.outage ?? expect.outage },
    targets: { ...targets, recoveryTimeMs: over.recoveryTimeMs ?? targets.recoveryTimeMs },
  };
}

/** What is asked for so that a scenario is played as this one is. */
export function askedOf({ database = 'embedded', foundationdb }: Scenario): AskedDatabase {
  return database === 'embedded' || foundationdb === undefined ? database : `${database}:${foundationdb}`;
}

/** Undefined: left to the scenario. */
export const layoutOf = (asked: AskedDatabase): FoundationdbLayout | undefined => partsOf(asked)[1];

function partsOf(asked: AskedDatabase): readonly [LabDatabase, FoundationdbLayout?] {
  return asked.split(':') as [LabDatabase, FoundationdbLayout?];
}

const loose = z.object({
  database: z.string().catch('embedded'),
  platform: z.string().catch('local'),
  replication: z.string().catch('sync'),
  backup: z.unknown().optional(),
  method: z.array(z.unknown()).catch([]),
  foundationdb: z.unknown().optional(),
});

/** Why a scenario cannot be played on its database, or on the one that was asked for. */
export function databaseProblems(document: YamlDocument, asked: AskedDatabase | undefined): readonly InputProblem[] {
  const written = loose.safeParse(document.value).data;
  if (written === undefined) return [];
  if (asked === undefined ? written.database !== 'foundationdb' : asked === 'embedded')
    return written.foundationdb === undefined
      ? []
      : [
          document.problem(
            ['foundationdb'],
            `is how FoundationDB replicates, and this is played on the embedded database: ${asked === undefined ? 'say `database: foundationdb`' : 'leave `--database embedded` out'}`,
          ),
        ];
  const [, layout = written.foundationdb] = partsOf(asked ?? 'foundationdb');
  return [
    ...backupProblems(written, document),
    ...(layout === 'pair' ? pairProblems(written, document) : []),
    ...(written.replication === 'async' && layout !== 'pair'
      ? [
          document.problem(
            ['replication'],
            `a cluster of FoundationDB has each commit in another region before it is acknowledged: there is no \`async\` but on a pair of clusters${asked === undefined || written.foundationdb !== 'pair' ? ' (`foundationdb: pair`)' : `, as this scenario is of: leave \`--database ${asked}\` out, or the scenario`}`,
          ),
        ]
      : []),
    ...(written.platform === 'kubernetes' ? [document.problem(['platform'], 'FoundationDB is started in local labs only')] : []),
  ];
}

/** fdbdr ships what was acknowledged before. */
function pairProblems({ foundationdb, replication }: z.infer<typeof loose>, document: YamlDocument): readonly InputProblem[] {
  const at = foundationdb === undefined ? 'replication' : 'foundationdb';
  return replication === 'async'
    ? []
    : [document.problem([at], 'a pair is copied after writes are acknowledged: say `replication: async`')];
}

const lab = z.looseObject({ diskSize: z.unknown().optional() });
const timedRestore = z.object({ restore: z.string().regex(/--to-time/) });
const databaseDamage = z.object({ damage: z.enum(['fill-disk', 'free-disk']) });

/** What backups of FoundationDB have not, each where it stands. Copies are restored into embedded databases, which are read as any other. */
function backupProblems({ backup, method }: z.infer<typeof loose>, document: YamlDocument): readonly InputProblem[] {
  const asked = lab.safeParse(backup).data ?? {};
  return [
    ...(asked.diskSize === undefined
      ? []
      : [document.problem(['backup', 'diskSize'], 'is of embedded databases; FoundationDB has disks of its own')]),
    ...method.flatMap((step, index) => {
      if (timedRestore.safeParse(step).success)
        return [
          document.problem(
            ['method', index, 'restore'],
            'the labs on FoundationDB keep no log among their backups: `--to-time` is played on the embedded database',
          ),
        ];
      if (databaseDamage.safeParse(step).success)
        return [document.problem(['method', index, 'damage'], 'is of embedded databases; FoundationDB has disks of its own')];
      return [];
    }),
  ];
}
