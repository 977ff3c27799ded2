import { Lexer, LineCounter, Parser, isAlias, isMap, isPair, isScalar, isSeq, parseAllDocuments, visit } from 'yaml';
import type { Alias, Document, Node } from 'yaml';
import { z } from 'zod';
import { HarnessError } from '../platform/errors.ts';
import { choiceOf, complain, thingOf } from './complain.ts';
import { nearest } from './nearest.ts';

/** One thing wrong with an input file, where it is and what to do. Lines and columns count from 1. */
export interface InputProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Dotted path within the document, e.g. `spec.selector.labelSelectors`; empty for the document itself. */
  readonly path: string;
  readonly message: string;
}

export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly InputProblem[] };

/** One document of a YAML file: its plain value and a way back from a path in it to the place in the file. */
export interface YamlDocument {
  readonly file: string;
  readonly value: unknown;
  problem(path: readonly PropertyKey[], message: string, options?: { readonly atKey?: boolean }): InputProblem;
  has(path: readonly PropertyKey[]): boolean;
}

/** Bounds on what a file may ask of us; a real manifest or scenario is far below all of them. */
const LIMITS = { bytes: 256 * 1024, depth: 32, aliases: 100, documents: 100 } as const;

/**
 * Parses a file of one or more YAML documents. Syntax errors, duplicate keys, unknown tags and broken bounds are problems with
 * their position; empty documents are skipped. Never throws on bad input.
 */
export function readYaml(text: string, file: string): { documents: readonly YamlDocument[]; problems: readonly InputProblem[] } {
  const whole = (message: string) => ({ documents: [], problems: [{ file, line: 1, column: 1, path: '', message }] });
  if (Buffer.byteLength(text) > LIMITS.bytes) return whole(`the file is larger than ${LIMITS.bytes / 1024} KiB; split it`);
  const lineCounter = new LineCounter();
  const tooDeep = tooDeepAt(text, file);
  if (tooDeep) return { documents: [], problems: [tooDeep] };
  // The type also allows an "empty stream" marker array; both are arrays of documents.
  const parsed = [...parseAllDocuments(text, { lineCounter, prettyErrors: false, merge: true })] as Document.Parsed[];
  if (parsed.length > LIMITS.documents) return whole(`more than ${LIMITS.documents} documents; split the file`);
  const read = parsed.map((document) => readDocument(document, { file, lineCounter }));
  return { documents: read.flatMap((one) => one.documents), problems: read.flatMap((one) => one.problems) };
}

interface Source {
  readonly file: string;
  readonly lineCounter: LineCounter;
}

function readDocument(document: Document.Parsed, source: Source): { documents: YamlDocument[]; problems: InputProblem[] } {
  const problems = [...document.errors, ...document.warnings].map((error) => problemAt(source, error.pos[0], '', error.message));
  problems.push(...aliasProblems(document, source));
  if (problems.length > 0) return { documents: [], problems };
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) return { documents: [], problems };
  try {
    const value: unknown = document.toJS({ maxAliasCount: LIMITS.aliases });
    return { documents: [positioned(document, value, source)], problems };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { documents: [], problems: [problemAt(source, startOf(document.contents), '', `${message}; write it without YAML aliases`)] };
  }
}

function positioned(document: Document.Parsed, value: unknown, source: Source): YamlDocument {
  const offsetOf = (path: readonly PropertyKey[], atKey: boolean): number => {
    for (let length = path.length; length > 0; length--) {
      const found = lookUp(document, path.slice(0, length));
      // A missing field is reported at the map it is missing from, named by that map's own key where it has one.
      if (found) return startOf((atKey || length < path.length ? found.key : undefined) ?? found.value ?? found.key);
    }
    return startOf(document.contents);
  };
  return {
    file: source.file,
    value,
    problem: (path, message, options) => problemAt(source, offsetOf(path, options?.atKey ?? false), formatPath(path), message),
    has: (path) => path.length === 0 || lookUp(document, path) !== undefined,
  };
}

function lookUp(document: Document.Parsed, path: readonly PropertyKey[]): { key?: Node; value?: Node } | undefined {
  let at: { key?: Node; value?: Node } = document.contents ? { value: document.contents } : {};
  for (const step of path) {
    const next = child(document, at.value, step);
    if (!next) return undefined;
    at = next;
  }
  return at;
}

function child(document: Document.Parsed, parent: Node | undefined, step: PropertyKey): { key?: Node; value?: Node } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq(node)) {
    const item = node.items[Number(step)] as Node | undefined;
    return item ? { value: item } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step));
  if (!pair) return undefined;
  return { ...(pair.key ? { key: pair.key as Node } : {}), ...(pair.value ? { value: pair.value as Node } : {}) };
}

/** Checked on the token stack before anything recursive sees the text. */
function tooDeepAt(text: string, file: string): InputProblem | undefined {
  const lineCounter = new LineCounter();
  const parser = new Parser(lineCounter.addNewLine);
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) void token;
    if (parser.stack.length > LIMITS.depth + 1)
      return problemAt({ file, lineCounter }, parser.offset, '', `nested deeper than ${LIMITS.depth} levels; flatten it`);
  }
  return undefined;
}

function aliasProblems(document: Document.Parsed, source: Source): InputProblem[] {
  const aliases: Alias[] = [];
  const cyclic: Alias[] = [];
  const collect = (_key: unknown, alias: Alias, ancestors: readonly unknown[]): void => {
    if (aliases.push(alias) <= LIMITS.aliases && ancestors.includes(alias.resolve(document))) cyclic.push(alias);
  };
  visit(document, { Alias: collect });
  const tooMany = aliases[LIMITS.aliases];
  if (tooMany) return [problemAt(source, startOf(tooMany), '', `more than ${LIMITS.aliases} aliases; write the values out`)];
  const unresolved = aliases.filter((alias) => alias.resolve(document) === undefined);
  const say = (alias: Alias, message: string): InputProblem => problemAt(source, startOf(alias), '', `\`*${alias.source}\` ${message}`);
  return [
    ...cyclic.map((alias) => say(alias, 'contains itself')),
    ...unresolved.map((alias) => say(alias, `has no anchor before it; define \`&${alias.source}\` first`)),
  ];
}

const startOf = (node: Node | null | undefined): number => node?.range?.[0] ?? 0;

function problemAt(source: Source, offset: number, path: string, message: string): InputProblem {
  const { line, col } = source.lineCounter.linePos(offset);
  return { file: source.file, line: Math.max(line, 1), column: Math.max(col, 1), path, message };
}

/** Checks one document against a schema; every issue becomes a problem at the field it is about. */
export function decodeDocument<T>(document: YamlDocument, schema: z.ZodType<T>, at: readonly PropertyKey[] = []): Decoded<T> {
  const value = at.reduce<unknown>((inner, step) => (inner as Record<PropertyKey, unknown> | undefined)?.[step], document.value);
  const result = schema.safeParse(value, { error: complain });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, problems: result.error.issues.flatMap((issue) => problemsOf(document, issue, at)) };
}

function problemsOf(document: YamlDocument, issue: z.core.$ZodIssue, at: readonly PropertyKey[]): InputProblem[] {
  const path = [...at, ...issue.path];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => document.problem([...path, key], messageForKey(issue.message, key), { atKey: true }));
  if (!document.has(path)) {
    const name = String(path.at(-1));
    const message = issue.code === 'custom' ? issue.message : `\`${name}\` is missing; add it (${expected(issue)})`;
    return [document.problem(path, message)];
  }
  if (issue.code === 'invalid_key') return [document.problem(path, issue.issues[0]?.message ?? issue.message, { atKey: true })];
  return [document.problem(path, issue.message)];
}

function expected(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return choiceOf(issue.values);
  return issue.code === 'invalid_type' ? thingOf(issue.expected) : issue.message;
}

/** Decodes a file that must hold exactly one document (a scenario). All problems at once. */
export function decodeYaml<T>(text: string, file: string, schema: z.ZodType<T>): Decoded<T> {
  const { documents, problems } = readYaml(text, file);
  if (problems.length > 0) return { ok: false, problems };
  const [first, second] = documents;
  if (!first) return { ok: false, problems: [{ file, line: 1, column: 1, path: '', message: 'the file holds no document' }] };
  if (second) return { ok: false, problems: [second.problem([], 'only one document is allowed in this file')] };
  return decodeDocument(first, schema);
}

/**
 * A strict object schema whose complaint about an unknown field says what is allowed here, or, for fields named in
 * `refused`, why it is refused.
 */
export function fields<Shape extends z.core.$ZodLooseShape>(shape: Shape, refused: Readonly<Record<string, string>> = {}) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'invalid_type' && issue.input !== undefined)
        return `must be a map with the fields ${Object.keys(shape).join(', ')}; this is ${typeName(issue.input)}`;
      if (issue.code !== 'unrecognized_keys') return undefined;
      const keys = (issue as unknown as { keys: readonly string[] }).keys;
      const message = (key: string): string => own(refused, key) ?? unknownField(key, Object.keys(shape));
      return JSON.stringify(Object.fromEntries(keys.map((key) => [key, message(key)])));
    },
  });
}

/** A key of a file may be `__proto__` or `constructor`, which every object seems to have. */
const own = (texts: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(texts, key) ? texts[key] : undefined;

const typeName = (value: unknown): string =>
  value === null ? 'empty' : Array.isArray(value) ? 'a list' : typeof value === 'string' ? 'text' : `a ${typeof value}`;

const unknownField = (key: string, allowed: readonly string[]): string => {
  const near = nearest(key, allowed);
  return `unknown field \`${key}\`; ${near === undefined ? '' : `did you mean \`${near}\`? `}allowed here: ${allowed.join(', ')}`;
};

/** One zod issue lists all unknown keys of a map; `fields` packs one message for each into it. */
function messageForKey(message: string, key: string): string {
  try {
    const messages = JSON.parse(message) as Record<string, string>;
    return own(messages, key) ?? `unknown field \`${key}\``;
  } catch {
    return `unknown field \`${key}\``;
  }
}

export function formatPath(path: readonly PropertyKey[]): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index > 0 ? '.' : ''}${String(step)}`)).join('');
}

/** `file:line:column: path: message`, one a line, in the order of the file. */
export function formatProblems(problems: readonly InputProblem[]): string {
  return [...problems]
    .sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column)
    .map((one) => `${one.file}:${one.line}:${one.column}: ${one.path === '' ? '' : `${one.path}: `}${one.message}`)
    .join('\n');
}

/** The error for bad input: exit code 2, all problems in its message. */
export function badInput(problems: readonly InputProblem[]): HarnessError {
  return new HarnessError('bad-input', formatProblems(problems));
}
