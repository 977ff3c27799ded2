import { z } from 'zod';
import { decodeDocument, readYaml, type Decoded } from './yaml-decode.ts';

export interface Variants {
  readonly name: string;
  readonly values: readonly string[];
}

const value = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,40}$/, 'must be a word of lower-case letters, digits, `-` and `_`');
const shape = z
  .record(
    z.string().regex(/^[a-z][a-zA-Z]*$/, 'must be a name of letters'),
    z.array(value).min(1, 'is empty').max(50, 'more than 50 variants'),
  )
  .refine((all) => Object.keys(all).length === 1, 'must name exactly one thing that varies');

/** `variants` of a scenario, before anything else of it is decoded; null: it has none. */
export function readVariants(text: string, file: string): Decoded<Variants | null> {
  const [document] = readYaml(text, file).documents;
  const raw = (document?.value as { variants?: unknown } | null | undefined)?.variants;
  if (document === undefined || raw === undefined) return { ok: true, value: null };
  const decoded = decodeDocument(document, shape, ['variants']);
  if (!decoded.ok) return decoded;
  const [entry] = Object.entries(decoded.value);
  if (entry === undefined) return { ok: true, value: null };
  const [name, values] = entry;
  if (text.includes(`\${${name}}`)) return { ok: true, value: { name, values } };
  return {
    ok: false,
    problems: [document.problem(['variants', name], `nothing in the file says \`\${${name}}\`: all variants would be the same`)],
  };
}
