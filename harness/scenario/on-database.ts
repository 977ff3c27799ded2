import { z } from 'zod';
import type { Expectation, LabDatabase, Scenario } from './scenario.ts';
import type { InputProblem, YamlDocument } from './yaml-decode.ts';

/** What a scenario says of FoundationDB alone; what it does not say is as on the embedded database. */
export interface OnFoundationdb {
  readonly settleMs?: number;
  readonly recoveryTimeMs?: number;
  readonly failover?: Expectation['failover'];
  readonly outage?: Expectation['outage'];
}

/** As it stands in its file. */
export type WrittenScenario = Scenario & { readonly onFoundationdb: OnFoundationdb };

/** The scenario as it is played on its database, or on the one that was asked for. On another than its own it has another name, so that no report takes the two for samples of one thing. */
export function onDatabase(written: WrittenScenario, asked: LabDatabase | undefined): Scenario {
  const { onFoundationdb: over, ...scenario } = written;
  const own = scenario.database ?? 'embedded';
  const database = asked ?? own;
  const name = database === own ? scenario.name : `${scenario.name}-on-${database}`;
  if (database === 'embedded') return { ...scenario, database, name };
  const { expect, targets } = scenario;
  return {
    ...scenario,
    database,
    name,
    settleMs: over.settleMs ?? scenario.settleMs,
    expect: { ...expect, failover: over.failover ?? expect.failover, outage: over.outage ?? expect.outage },
    targets: { ...targets, recoveryTimeMs: over.recoveryTimeMs ?? targets.recoveryTimeMs },
  };
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
export function databaseProblems(document: YamlDocument, asked: LabDatabase | undefined): readonly InputProblem[] {
  const written = loose.safeParse(document.value).data;
  if (written === undefined) return [];
  if ((asked ?? written.database) !== 'foundationdb')
    return written.foundationdb === undefined
      ? []
      : [
          document.problem(
            ['foundationdb'],
            'is how FoundationDB replicates, and this is played on the embedded database: say `database: foundationdb`',
          ),
        ];
  return [
    ...backupProblems(written, document),
    ...(written.replication === 'async'
      ? [
          document.problem(
            ['replication'],
            'on FoundationDB every commit is in three regions before it is acknowledged: there is no `async`',
          ),
        ]
      : []),
    ...(written.platform === 'kubernetes' ? [document.problem(['platform'], 'FoundationDB is started in local labs only')] : []),
  ];
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
            'FoundationDB has no log among its backups: `--to-time` is for the embedded database',
          ),
        ];
      if (databaseDamage.safeParse(step).success)
        return [document.problem(['method', index, 'damage'], 'is of embedded databases; FoundationDB has disks of its own')];
      return [];
    }),
  ];
}
