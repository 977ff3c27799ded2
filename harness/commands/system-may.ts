import type { OwnService } from '../platform/platform.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import type { Step } from '../scenario/scenario.ts';

/** A system that is there already, as far as it limits what a scenario may ask. */
export interface Limits {
  readonly file: string;
  /** Names of the clients that measure it. */
  readonly clients: readonly string[];
  /** Whether anything can be broken there. */
  readonly faults: boolean;
  /** With an API of its own. */
  readonly service: Pick<OwnService, 'ledger'> | undefined;
}

/** As the code and as a scenario calls them. (Where nothing is injected there is nothing to await recovery from.) */
const MEASURING: readonly (readonly [Step['do'], string])[] = [
  ['observe', 'observe'],
  ['delete-all', 'deleteAll'],
];
const BREAKING: readonly (readonly [Step['do'], string])[] = [
  ['inject', 'inject'],
  ['await-recovery', 'awaitRecovery'],
  ['heal', 'heal'],
];

/** What of these scenarios cannot be had there, a line each; empty: all of it can. Pure. */
export function notPossible(limits: Limits, loaded: readonly Pick<LoadedScenario, 'file' | 'scenario'>[]): readonly string[] {
  return loaded.flatMap(({ file, scenario }) => [
    ...steps(limits, file, scenario),
    ...(limits.service === undefined || scenario.expect.failover === 'allowed'
      ? []
      : [
          `${file}: expects \`failover: ${scenario.expect.failover}\`, but which region serves is not known of a service with an API of its own (${limits.file}); say \`failover: allowed\``,
        ]),
    ...missing(limits, file, scenario),
  ]);
}

function steps({ file: system, faults, service }: Limits, file: string, { method, backup }: LoadedScenario['scenario']): readonly string[] {
  const may = [...MEASURING, ...(faults ? BREAKING : [])].filter(
    ([what]) => what !== 'delete-all' || service?.ledger.delete !== undefined || !service,
  );
  const more = method.map((step) => step.do).filter((what) => !may.some(([allowed]) => allowed === what));
  if (more.length === 0 && !backup) return [];
  const why = faults ? 'has an API of its own' : 'is known by its addresses';
  const asked = [...new Set(backup ? ['backup', ...more] : more)].join(', ');
  return [`${file}: ${system} ${why}, where a scenario can only ${may.map(([, name]) => name).join(', ')}; it asks for ${asked}`];
}

function missing({ file: system, clients }: Limits, file: string, { expect }: LoadedScenario['scenario']): readonly string[] {
  const strangers = expect.mustRecover.filter((vantage) => !clients.includes(vantage));
  return strangers.length === 0 ? [] : [`${system}: has no client ${strangers.join(', ')}, of which ${file} says mustRecover`];
}
