import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LineCounter, isNode, parseDocument, type Document, type YAMLParseError } from 'yaml';
import { EngineError } from '../platform/errors.ts';
import { complain, complaintsOf } from './complaints.ts';
import { configShape, type EngineConfig } from './config.ts';
import { applyEnvironment, type Override } from './environment.ts';
import { asSeenIn, dataCenterProblems, pairHomeProblems, pairProblem } from './foundationdb-config.ts';
import { misplacedName, sharedPrograms } from './places.ts';
import { objectArbiterProblems } from './policy.ts';

const MAX_FILE_BYTES = 1024 * 1024;
const MAX_ALIASES = 100;

export interface LoadedConfig {
  readonly config: EngineConfig;
  /** Folder of the file, which the paths in it are relative to. */
  readonly folder: string;
}

/** Reads, overrides from the environment and checks a configuration file. Throws one `bad-config` that lists every problem as file:line:column. */
export function loadConfig(file: string, environment: Readonly<Record<string, string | undefined>>): LoadedConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new EngineError('bad-config', `${file}: cannot be read; name the engine's configuration with --config FILE`, cause);
  }
  return { config: decodeConfig(text, file, environment), folder: dirname(resolve(file)) };
}

/** As loadConfig, from text; `file` is used for messages. */
export function decodeConfig(text: string, file: string, environment: Readonly<Record<string, string | undefined>> = {}): EngineConfig {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) throw new EngineError('bad-config', `${file}: larger than ${MAX_FILE_BYTES} bytes`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => `${file}:${lines.linePos(offset).line}:${lines.linePos(offset).col}`;
  if (document.errors.length > 0) throw problems(syntaxProblems(document.errors, at));
  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw new EngineError('bad-config', `${file}: too many YAML aliases (at most ${MAX_ALIASES})`, cause);
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) throw problems([`${file}:1:1: expected a mapping of settings`]);
  const { value, overrides, unknown } = applyEnvironment(raw as Record<string, unknown>, environment);
  const parsed = configShape.safeParse(value, { error: complain });
  const found = unknown.map((name) => `environment ${name}: no such setting`);
  if (parsed.success && found.length === 0)
    found.push(...inconsistencies(parsed.data, (path) => placeOf(path, document, at, overrides) ?? `${file}:1:1`));
  if (!parsed.success)
    for (const { path, text: says } of complaintsOf(parsed.error.issues))
      found.push(`${placeOf(path, document, at, overrides) ?? `${file}:1:1`}: ${path.join('.') || 'configuration'}: ${says}`);
  if (found.length > 0 || !parsed.success) throw problems(found);
  const { region, database } = parsed.data;
  return { ...parsed.data, database: asSeenIn(region, database) };
}

/** What no single field's shape can say. */
function inconsistencies(config: EngineConfig, place: (path: readonly string[]) => string): readonly string[] {
  const found: string[] = [];
  const known = Object.keys(config.regions);
  const needRegion = (region: string, path: readonly string[]): void => {
    if (!known.includes(region))
      found.push(`${place(path)}: ${path.join('.')}: region ${region} is not under regions (${known.join(', ')})`);
  };
  needRegion(config.region, ['region']);
  needRegion(config.primary_region, ['primary_region']);
  config.standby_regions.forEach((region, i) => needRegion(region, ['standby_regions', String(i)]));
  if (config.standby_regions.includes(config.primary_region))
    found.push(
      `${place(['standby_regions'])}: standby_regions: ${config.primary_region} is the primary_region; a region is one or the other`,
    );
  if (config.dns.ttl_seconds * 1000 >= config.policy.prepareMs)
    found.push(
      `${place(['dns', 'ttl_seconds'])}: dns.ttl_seconds: ${config.dns.ttl_seconds} s is not below prepareMs (${config.policy.prepareMs} ms): a planned move waits it out before it begins and would never begin; make prepareMs longer`,
    );
  if (new Set(config.standby_regions).size !== config.standby_regions.length)
    found.push(`${place(['standby_regions'])}: standby_regions: a region is named twice`);
  for (const { path, text } of [...sharedPrograms(config), ...misplacedName(config)])
    found.push(`${place(path)}: ${path.join('.')}: ${text}`);
  if (config.arbiter.kind === 'gcs')
    found.push(...objectArbiterProblems(config.policy).map((problem) => `${place(['policy'])}: policy: ${problem}`));
  const { database } = config;
  if (database.kind === 'foundationdb') {
    const path = ['database', 'data_centers'];
    found.push(...dataCenterProblems(database, known).map((problem) => `${place(path)}: ${path.join('.')}: ${problem}`));
    const ofPair = pairProblem(database);
    if (ofPair !== null) found.push(`${place(['database', 'pair'])}: database.pair: ${ofPair}`);
    const homes = pairHomeProblems(database, known);
    found.push(...homes.map((problem) => `${place(['database', 'pair_homes'])}: database.pair_homes: ${problem}`));
    if (database.pair_homes !== undefined && config.replication !== 'async')
      found.push(`${place(['replication'])}: replication: fdbdr copies what was acknowledged before; with database.pair_homes write async`);
    if (database.pair_homes === undefined && config.replication !== 'sync')
      found.push(
        `${place(['replication'])}: replication: FoundationDB replicates by itself, and nothing that it acknowledges depends on this engine; write sync`,
      );
  }
  if (database.kind === 'embedded' && config.backup?.foundationdb_log !== undefined)
    found.push(
      `${place(['backup', 'foundationdb_log'])}: backup.foundationdb_log: this machine's own database has its log already; leave it away`,
    );
  return found;
}

function placeOf(
  path: readonly string[],
  document: Document.Parsed,
  at: (offset: number) => string,
  overrides: readonly Override[],
): string | null {
  const override = overrides.find((given) => given.path.every((step, i) => path[i] === step));
  if (override !== undefined) return `environment ${override.name}`;
  for (let length = path.length; length > 0; length--) {
    const steps = path.slice(0, length).map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    const node = document.getIn(steps, true);
    if (isNode(node) && node.range) return at(node.range[0]);
  }
  return null;
}

function problems(found: readonly string[]): EngineError {
  return new EngineError('bad-config', found.join('\n'));
}

/** Of what is nested too deeply for the parser all is wrong from there on. */
function syntaxProblems(errors: readonly YAMLParseError[], at: (offset: number) => string): readonly string[] {
  const [first] = errors.filter(({ message }) => /call stack|stack overflow/i.test(message)).toSorted((a, b) => a.pos[0] - b.pos[0]);
  if (first !== undefined) return [`${at(first.pos[0])}: nested too deeply; flatten it`];
  return errors.map(({ code, message, pos }) => {
    const text = code === 'MULTIPLE_DOCS' ? 'only one document is allowed in this file' : message.split('\n', 1)[0];
    return `${at(pos[0])}: ${text}`;
  });
}
