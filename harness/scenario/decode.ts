import { z } from 'zod';
import { backupProblems } from './backup-sense.ts';
import { databaseProblems, onDatabase } from './on-database.ts';
import type { AskedDatabase, Scenario } from './scenario.ts';
import { scenarioShape } from './shape.ts';
import { stepShape, writtenSteps, type WrittenStep } from './steps.ts';
import { decodeDocument, readYaml, type Decoded, type InputProblem, type YamlDocument } from './yaml-decode.ts';

/** What a scenario may name. */
export interface World {
  readonly vantages: readonly string[];
  readonly platforms: readonly Scenario['platform'][];
  /** On which database it is played, instead of what the scenario says. */
  readonly database?: AskedDatabase | undefined;
}

/** One scenario file. Every problem at once, each with file:line:column. Manifests are not looked at (load.ts does). */
export function decodeScenario(text: string, file: string, world: World): Decoded<Scenario> {
  const { documents, problems } = readYaml(text, file);
  const [first, second] = documents;
  if (problems.length > 0) return { ok: false, problems };
  if (first === undefined) return { ok: false, problems: [{ file, line: 1, column: 1, path: '', message: 'the file holds no scenario' }] };
  if (second !== undefined) return { ok: false, problems: [second.problem([], 'one scenario a file; move this one to its own')] };
  const decoded = decodeDocument(first, scenarioShape);
  const sense = [
    ...methodProblems(first),
    ...backupProblems(first),
    ...expectationProblems(first, world),
    ...targetProblems(first),
    ...databaseProblems(first, world.database),
  ];
  if (decoded.ok && sense.length === 0) return { ok: true, value: onDatabase(decoded.value, world.database) };
  return { ok: false, problems: [...(decoded.ok ? [] : decoded.problems), ...sense] };
}

const looseLaidOver = {
  awaitRecovery: z.unknown().optional(),
  expect: z.record(z.string(), z.unknown()).catch({}),
  targets: z.record(z.string(), z.unknown()).catch({}),
};
const NOTHING = { awaitRecovery: undefined, expect: {}, targets: {} };

/** The parts that decode, so that an error elsewhere does not hide these problems. */
const loose = z.object({
  platform: z.string().catch('local'),
  method: z.array(z.unknown()).catch([]),
  expect: z
    .object({
      mustRecover: z.array(z.string()).catch([]),
      outage: z.string().catch(''),
      loss: z.string().catch(''),
      failover: z.string().catch(''),
    })
    .partial()
    .catch({}),
  targets: z.object({ recoveryTime: z.unknown(), lostWrites: z.unknown(), brownOut: z.unknown() }).partial().catch({}),
  onFoundationdb: z
    .object({ ...looseLaidOver, twoRegions: z.object(looseLaidOver).catch(NOTHING) })
    .catch({ ...NOTHING, twoRegions: NOTHING }),
});

function parts(document: YamlDocument): z.infer<typeof loose> {
  const result = loose.safeParse(document.value);
  return result.success
    ? result.data
    : { platform: 'local', method: [], expect: {}, targets: {}, onFoundationdb: { ...NOTHING, twoRegions: NOTHING } };
}

function methodProblems(document: YamlDocument): readonly InputProblem[] {
  const problems: InputProblem[] = [];
  const state = new Map<string, { now: 'injected' | 'healed'; rounds: WrittenStep['rounds'] }>();
  const tell = ({ path }: WrittenStep, field: string, message: string): void =>
    void problems.push(document.problem([...path, field], message));
  for (const written of writtenSteps(parts(document).method)) {
    const step = stepShape.safeParse(written.raw).data;
    if (step?.do === 'inject' || step?.do === 'arm') {
      if (state.has(step.fault)) tell(written, step.do, `fault \`${step.fault}\` was injected before; give this one its own name`);
      state.set(step.fault, { now: 'injected', rounds: written.rounds });
    } else if (step?.do === 'heal') {
      const before = state.get(step.fault);
      if (before === undefined)
        tell(
          written,
          'heal',
          `fault \`${step.fault}\` was never injected before this step; injected: ${[...state.keys()].join(', ') || 'none'}`,
        );
      else if (before.now === 'healed') tell(written, 'heal', `fault \`${step.fault}\` is healed already`);
      else if (before.rounds !== written.rounds)
        tell(
          written,
          'heal',
          `fault \`${step.fault}\` has a name a round within its repeat; heal it there, or let the end of the method do it`,
        );
      state.set(step.fault, { now: 'healed', rounds: written.rounds });
    } else if (step?.do === 'await-recovery' && state.size === 0) {
      tell(written, 'awaitRecovery', 'there is nothing to recover from before the first inject');
    }
  }
  return problems;
}

function expectationProblems(document: YamlDocument, world: World): readonly InputProblem[] {
  const { expect, platform } = parts(document);
  const problems = (expect.mustRecover ?? []).flatMap((vantage, index, all) => {
    const at = ['expect', 'mustRecover', index];
    if (!world.vantages.includes(vantage)) {
      return [document.problem(at, `unknown vantage \`${vantage}\`; there are ${world.vantages.join(', ')}`)];
    }
    return all.indexOf(vantage) === index ? [] : [document.problem(at, `\`${vantage}\` is named twice`)];
  });
  if (['local', 'kubernetes'].includes(platform) && !world.platforms.some((known) => known === platform)) {
    const message = `platform \`${platform}\` is not built yet; this version runs on ${world.platforms.join(', ')}`;
    problems.push(document.problem(['platform'], message));
  }
  return problems;
}

/** Of the scenario as it is written, and as it is with what it says of FoundationDB, and of two regions of it, laid over it. */
function targetProblems(document: YamlDocument): readonly InputProblem[] {
  const { method, onFoundationdb, ...written } = parts(document);
  const layers = [
    { at: [], where: '', over: { ...written, awaitRecovery: undefined } },
    { at: ['onFoundationdb'], where: 'on FoundationDB: ', over: onFoundationdb },
    { at: ['onFoundationdb', 'twoRegions'], where: 'on FoundationDB of two regions: ', over: onFoundationdb.twoRegions },
  ];
  const found: InputProblem[] = [];
  const told = new Set<string>();
  let meant: Meant = { ...NOTHING, method };
  for (const [depth, { where, over }] of layers.entries()) {
    const { awaitRecovery = meant.awaitRecovery } = over;
    meant = { ...meant, awaitRecovery, expect: { ...meant.expect, ...over.expect }, targets: { ...meant.targets, ...over.targets } };
    const above = layers.slice(0, depth + 1).reverse();
    for (const { path, message } of contradictions(meant)) {
      const own = above.map(({ at }) => [...at, ...path]).find((full) => document.has(full)) ?? path;
      const key = `${own.join()} ${message}`;
      if (!told.has(key)) found.push(document.problem(own, own.length === path.length ? `${where}${message}` : message));
      told.add(key);
    }
  }
  return found;
}

interface Meant {
  readonly method: readonly unknown[];
  readonly expect: Readonly<Record<string, unknown>>;
  readonly targets: Readonly<Record<string, unknown>>;
  readonly awaitRecovery: unknown;
}

/** What a method, what is expected of it and its targets say against each other. */
function contradictions({
  method,
  expect,
  targets,
  awaitRecovery,
}: Meant): readonly { readonly path: readonly string[]; readonly message: string }[] {
  const problems: { path: readonly string[]; message: string }[] = [];
  const tell = (path: readonly string[], message: string): void => void problems.push({ path, message });
  const steps = writtenSteps(method).map(({ raw }) => stepShape.safeParse(raw).data?.do);
  const injects = steps.includes('inject') || steps.includes('arm');
  if (targets['recoveryTime'] !== undefined && !injects)
    tell(['targets', 'recoveryTime'], 'there is no fault to recover from; inject one or remove this target');
  if (awaitRecovery !== undefined && !steps.includes('await-recovery'))
    tell(['awaitRecovery'], 'no step of the method awaits recovery; remove this');
  if (targets['brownOut'] !== undefined && expect['outage'] !== 'none')
    tell(['targets', 'brownOut'], 'an outage may be here; say `expect: {outage: none}`, or remove this target');
  if (expect['outage'] === 'expected' && !injects) tell(['expect', 'outage'], 'an outage is expected but no fault is injected');
  if (expect['failover'] === 'ordered' && !steps.includes('order'))
    tell(['expect', 'failover'], 'nobody orders anything; add an `order` step, or expect another number');
  const lostWrites = targets['lostWrites'];
  if (expect['loss'] === 'none' && typeof lostWrites === 'number' && lostWrites > 0)
    tell(['targets', 'lostWrites'], 'must be 0 where `expect.loss` is none; or say `loss: allowed`');
  return problems;
}
