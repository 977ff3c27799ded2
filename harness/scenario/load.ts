import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { sameDuration } from '../fault/duration-of.ts';
import type { Fault } from '../fault/fault.ts';
import { HarnessError } from '../platform/errors.ts';
import { decodeScenario, type World } from './decode.ts';
import type { Scenario } from './scenario.ts';
import { roundName, writtenSteps } from './steps.ts';
import { readVariants } from './variants.ts';
import { badInput, readYaml, type Decoded, type InputProblem } from './yaml-decode.ts';

/** A scenario with everything that it names. */
export interface LoadedScenario {
  readonly file: string;
  /** Which of the file's variants this is; null: it has none. */
  readonly variant: string | null;
  readonly scenario: Scenario;
  /** The experiments of each inject step's manifest, by the step's fault name. */
  readonly faults: ReadonlyMap<string, readonly Fault[]>;
}

/** `decodeManifest` of harness/fault/manifest.ts, bound to the known kinds. */
export type DecodeManifest = (text: string, file: string) => Decoded<readonly Fault[]>;

/**
 * Reads scenarios and their manifests (paths in a scenario are relative to it). Throws HarnessError `bad-input` with every problem of
 * every file, each with file:line:column; nothing has been started then.
 */
export function loadScenarios(files: readonly string[], world: World, decodeManifest: DecodeManifest): readonly LoadedScenario[] {
  const loaded = files.flatMap((file) => loadVariants(file, world, decodeManifest));
  const problems = loaded.flatMap((one) => (one.ok ? [] : one.problems));
  if (problems.length > 0) throw badInput(unique(problems));
  return loaded.flatMap((one) => (one.ok ? [one.value] : []));
}

const MIXED_DURATIONS =
  'the experiments of this manifest last differently long (`duration`), but one step heals all at once; give each a manifest and a step of its own';

/** A scenario with `variants: {at: [a, b]}` is played once for each value, with the value wherever it says `${at}`. */
function loadVariants(file: string, world: World, decodeManifest: DecodeManifest): readonly Decoded<LoadedScenario>[] {
  const text = read(file);
  if (text === null)
    return [{ ok: false, problems: [{ file, line: 1, column: 1, path: '', message: 'cannot be read; give the path of a scenario' }] }];
  const variants = readVariants(text, file);
  if (!variants.ok) return [variants];
  if (variants.value === null) return [loadScenario({ text, file, variant: null }, world, decodeManifest)];
  const { name, values } = variants.value;
  return values.map((value) => {
    const loaded = loadScenario({ text: text.replaceAll(`\${${name}}`, value), file, variant: value }, world, decodeManifest);
    if (!loaded.ok) return loaded;
    const named = { ...loaded.value.scenario, name: `${loaded.value.scenario.name}-${value.replaceAll('_', '-')}` };
    return { ok: true, value: { ...loaded.value, scenario: named } };
  });
}

interface Text {
  readonly text: string;
  readonly file: string;
  readonly variant: string | null;
}

function loadScenario({ text, file, variant }: Text, world: World, decodeManifest: DecodeManifest): Decoded<LoadedScenario> {
  const decoded = decodeScenario(text, file, world);
  const manifests = loadManifests(text, file, decodeManifest);
  const problems = [...(decoded.ok ? [] : decoded.problems), ...manifests.problems];
  if (!decoded.ok || problems.length > 0) return { ok: false, problems };
  return { ok: true, value: { file, variant, scenario: decoded.value, faults: manifests.faults } };
}

/** From the raw text, so that problems of a manifest are told together with those of the scenario. */
function loadManifests(
  text: string,
  file: string,
  decodeManifest: DecodeManifest,
): { faults: Map<string, readonly Fault[]>; problems: InputProblem[] } {
  const faults = new Map<string, readonly Fault[]>();
  const problems: InputProblem[] = [];
  const [document] = readYaml(text, file).documents;
  const method = (document?.value as { method?: unknown } | undefined)?.method;
  for (const { raw, path: at, rounds } of writtenSteps(Array.isArray(method) ? (method as unknown[]) : [])) {
    const { inject, arm, manifest } = (raw ?? {}) as { inject?: unknown; arm?: unknown; manifest?: unknown };
    const fault = inject ?? arm;
    if (document === undefined || typeof fault !== 'string' || typeof manifest !== 'string') continue;
    const names = rounds === null ? [fault] : Array.from({ length: rounds }, (_, round) => roundName(fault, round + 1));
    const path = resolve(dirname(file), manifest);
    const content = read(path);
    if (content === null) {
      problems.push(document.problem([...at, 'manifest'], `there is no such file: ${path} (paths are relative to the scenario)`));
      continue;
    }
    const decoded = decodeManifest(content, path);
    if (!decoded.ok) problems.push(...decoded.problems);
    else if (sameDuration(decoded.value)) for (const name of names) faults.set(name, decoded.value);
    else problems.push(document.problem([...at, 'manifest'], MIXED_DURATIONS));
  }
  return { faults, problems };
}

function unique(problems: readonly InputProblem[]): readonly InputProblem[] {
  const seen = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...seen.values()];
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return null;
    throw new HarnessError('bad-input', `${file}: cannot be read (${code})`, error);
  }
}
