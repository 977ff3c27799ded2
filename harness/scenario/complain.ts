import type { z } from 'zod';

type RawIssue = z.core.$ZodRawIssue;

/**
 * For `safeParse(value, { error: complain })`, where no shape has words of its own: what must be written and what is there, for whoever wrote the file. zod's own words tell of types of
 * JavaScript. undefined: they are left as they are.
 */
export function complain(issue: RawIssue): string | undefined {
  const { code } = issue;
  if (code === 'invalid_type') return wanted(thingOf(issue.expected), issue.input);
  if (code === 'invalid_value') return wanted(choiceOf(issue.values), issue.input);
  if (code === 'too_small') return bound(issue, Number(issue.minimum), issue.inclusive === false ? 'more than' : 'at least');
  if (code === 'too_big') return bound(issue, Number(issue.maximum), issue.inclusive === false ? 'less than' : 'at most');
  return undefined;
}

/** The first of what is wrong: its field, and what is the matter with it. */
export function whatIsWrong({ issues: [first] }: z.ZodError): string {
  return `${first?.path.join('.') || 'record'}: ${first?.message ?? 'is of another shape'}`;
}

const THINGS: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'a map',
  record: 'a map',
  int: 'a whole number',
  boolean: 'true or false',
};

export const thingOf = (expected: string): string => THINGS[expected] ?? `a ${expected}`;

export function choiceOf(values: readonly unknown[]): string {
  const texts = values.map((value) => (value === '' ? '""' : String(value)));
  return texts.length === 1 ? (texts[0] ?? '') : `one of ${texts.join(', ')}`;
}

const wanted = (what: string, input: unknown): string => `must be ${what}; this is ${shown(input)}`;

const MOST_SHOWN = 60;

function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = JSON.stringify(value);
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN - 1)}…`;
}

function bound({ origin, input }: { readonly origin?: unknown; readonly input?: unknown }, limit: number, how: string): string {
  if (origin === 'array') return `must have ${how} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string') return limit === 1 && how === 'at least' ? 'must not be empty' : `must have ${how} ${limit} characters`;
  return wanted(`${how} ${limit}`, input);
}
