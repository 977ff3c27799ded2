import { z } from 'zod';
import { parseJson } from '../../platform/json.ts';
import { fields } from '../../scenario/yaml-decode.ts';

const status = z.number().int().min(100).max(599);
const statuses = (...usual: number[]) => z.array(status).min(1, 'is empty; name the statuses that mean it').default(usual);
const PLACEHOLDER = /\{[^{}]*\}/g;

const path = z.string().superRefine((text, context) => {
  const wrong = (message: string): void => context.addIssue({ code: 'custom', message });
  if (!text.startsWith('/')) wrong('must begin with a slash; the server is named in `clients`');
  if (!/^[!-~]*$/.test(text) || text.includes('#'))
    wrong('must be printable ASCII without spaces and #; write anything else percent-encoded');
  for (const [word] of text.matchAll(PLACEHOLDER))
    if (word !== '{key}' && word !== '{value}') wrong(`has ${word}; what can be filled in is {key} and {value}`);
});

const sent = { path, body: z.string().optional(), contentType: z.string().min(1).default('application/json') };

interface Sent {
  readonly path: string;
  readonly body?: string | undefined;
}
const names = ({ path: of, body = '' }: Sent, word: string): boolean => `${of}${body}`.includes(word);

/** Every request names its key, and a write its value; else all operations would be on one thing, which looks well until it is read back. */
const naming =
  <T extends Sent>(...words: readonly ('{key}' | '{value}')[]) =>
  (one: T, context: z.RefinementCtx): void => {
    for (const word of words.filter((each) => !names(one, each)))
      context.addIssue({ code: 'custom', message: `says ${word} neither in its path nor in its body` });
  };

/** What would be refused by the service, each time, for a quote too few. */
function isJson({ body, contentType }: Sent & { readonly contentType: string }, context: z.RefinementCtx): void {
  if (body === undefined || !saysJson(contentType) || parseJson(body) !== undefined) return;
  context.addIssue({
    code: 'custom',
    path: ['body'],
    message: `is not JSON, as \`contentType\` ${contentType} says; words such as {value} stand within quotes`,
  });
}

export const saysJson = (contentType: string): boolean => /\bjson\b/i.test(contentType);

/** Statuses that mean two things mean nothing. */
const apart =
  <T extends Readonly<Record<string, unknown>>>(one: keyof T & string, other: keyof T & string) =>
  (of: T, context: z.RefinementCtx): void => {
    const both = (of[one] as readonly number[]).filter((each) => (of[other] as readonly number[]).includes(each));
    if (both.length > 0) context.addIssue({ code: 'custom', path: [other], message: `has ${both.join(', ')}, and so has \`${one}\`` });
  };

const outcome = { acknowledged: statuses(200, 201, 204), refused: z.array(status).default([]) };

/** A ledger with another API than the engine's, as a user describes it (docs/kubernetes.md). */
export const templatesShape = fields({
  write: fields({ method: z.enum(['PUT', 'POST', 'PATCH']).default('PUT'), ...sent, ...outcome })
    .superRefine(naming('{key}', '{value}'))
    .superRefine(isJson)
    .superRefine(apart('acknowledged', 'refused')),
  read: fields({
    method: z.enum(['GET', 'POST']).default('GET'),
    ...sent,
    found: statuses(200),
    absent: statuses(404),
    /** JSON pointer to the value in the answer; left out: the whole answer is the value. */
    value: z
      .string()
      .regex(/^(\/([^~/]|~[01])*)+$/, 'must be a JSON pointer such as /data/text; leave it out where the whole answer is the value')
      .optional(),
  })
    .superRefine(naming('{key}'))
    .superRefine(isJson)
    .superRefine(apart('found', 'absent')),
  /** Left out: nothing is deleted. */
  delete: fields({
    method: z.enum(['DELETE', 'POST']).default('DELETE'),
    ...sent,
    acknowledged: statuses(200, 204, 404),
    refused: outcome.refused,
  })
    .superRefine(naming('{key}'))
    .superRefine(isJson)
    .superRefine(apart('acknowledged', 'refused'))
    .optional(),
});

export type LedgerTemplates = z.infer<typeof templatesShape>;
