import type { z } from 'zod';

/** What is wrong with one setting, in words for whoever wrote it. */
export interface Complaint {
  readonly path: readonly string[];
  readonly text: string;
}

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

/** For `safeParse(value, { error: complain })`: zod's own words tell of types of JavaScript, and not what to write. undefined: they are left as they are. */
export function complain(issue: RawIssue): string | undefined {
  const { code } = issue;
  if (code === 'invalid_type') return wanted(issue.input, THINGS[issue.expected] ?? issue.expected);
  if (code === 'invalid_value') return wanted(issue.input, choice(issue.values));
  if (code === 'invalid_union' && 'options' in issue) return wanted(kindOf(issue), choice(issue.options as readonly unknown[]));
  if (code === 'unrecognized_keys') return `no such setting; there are ${settingsOf(issue.inst).join(', ')}`;
  if (code === 'too_small') return bound(issue, Number(issue.minimum), issue.inclusive === false ? 'more than' : 'at least');
  if (code === 'too_big') return bound(issue, Number(issue.maximum), issue.inclusive === false ? 'less than' : 'at most');
  return code === 'invalid_format' ? format(issue) : undefined;
}

/** Each at the setting that it is about, whichever of several shapes that was to have. */
export function complaintsOf(issues: readonly Issue[], base: readonly string[] = []): readonly Complaint[] {
  return issues.flatMap((issue): readonly Complaint[] => {
    const path = [...base, ...issue.path.map(String)];
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: [...path, key], text: issue.message }));
    if (issue.code === 'invalid_key') return [{ path, text: issue.issues[0]?.message ?? issue.message }];
    if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ path, text: issue.message }];
    // Of the shapes that it may have, the one that it was meant to have: what is wrong is within it.
    const meant = issue.errors.find((within) => within.every((one) => one.path.length > 0 || one.code === 'unrecognized_keys'));
    if (meant !== undefined) return complaintsOf(meant, path);
    return [{ path, text: either(issue.errors.map(([first]) => first?.message ?? issue.message)) }];
  });
}

const IS = '; this is ';
const MUST_BE = 'must be ';

/** Several wishes about one thing, which is told once. */
function either(texts: readonly string[]): string {
  const parts = texts.map((text) => text.split(IS));
  const tail = parts[0]?.[1];
  const alike = tail !== undefined && parts.every(([head, end]) => head?.startsWith(MUST_BE) && end === tail);
  if (!alike) return [...new Set(texts)].join('; or ');
  return `${MUST_BE}${parts.map(([head]) => head?.slice(MUST_BE.length)).join(', or ')}${IS}${tail}`;
}

const THINGS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of settings',
  record: 'a map',
};

function wanted(input: unknown, what: string): string {
  if (input === undefined) return `is missing: it must be ${what}`;
  return `${MUST_BE}${what}${IS}${shown(input)}`;
}

function shown(input: unknown): string {
  if (input === null) return 'empty';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a map';
  if (typeof input === 'number') return String(input);
  const text = JSON.stringify(input);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

const choice = (values: readonly unknown[]): string => (values.length === 1 ? String(values[0]) : `one of ${values.join(', ')}`);

function kindOf({ input, discriminator }: RawIssue & { readonly discriminator?: unknown }): unknown {
  return (input as Readonly<Record<string, unknown>> | undefined)?.[String(discriminator)];
}

function settingsOf(schema: RawIssue['inst']): readonly string[] {
  const shape = (schema?._zod.def as { readonly shape?: object } | undefined)?.shape;
  return Object.keys(shape ?? {});
}

function bound({ origin, input }: { readonly origin?: unknown; readonly input?: unknown }, limit: number, how: string): string {
  if (origin === 'array') return `must have ${how} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string') return limit === 1 ? 'must not be empty' : `must have ${how} ${limit} characters`;
  return wanted(input, `${how} ${limit}`);
}

const FORMATS: Readonly<Record<string, string>> = { ipv4: 'an IPv4 address', ipv6: 'an IPv6 address' };

function format(issue: RawIssue & { readonly format?: unknown }): string | undefined {
  const { format: name, input } = issue;
  const { prefix, suffix, pattern } = issue as { readonly prefix?: unknown; readonly suffix?: unknown; readonly pattern?: unknown };
  if (name === 'url') return wanted(input, pattern === '^https$' ? 'a URL that begins with https://' : 'a URL');
  if (name === 'starts_with') return `must begin with ${String(prefix)}${IS}${shown(input)}`;
  if (name === 'ends_with') return `must end with ${String(suffix)}${IS}${shown(input)}`;
  const what = FORMATS[String(name)];
  return what === undefined ? undefined : wanted(input, what);
}
