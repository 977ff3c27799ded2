import { parseJson } from '../../platform/json.ts';
import type { PlannedOperation } from '../plan.ts';
import { notUnderstood, type Answer, type Dialect } from './dialect.ts';
import { saysJson, type LedgerTemplates } from './template-shape.ts';

export interface TemplateSettings {
  readonly templates: LedgerTemplates;
  /** Before each key, so that nothing that was there before, or that another run wrote, is met. */
  readonly keyPrefix: string;
  /** Of every request; its Host among them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A ledger that somebody described by templates. Pure. */
export function templateDialect({ templates, keyPrefix, headers }: TemplateSettings): Dialect {
  return {
    outgoing: (operation) => {
      const template = templateOf(templates, operation);
      const filled = { key: `${keyPrefix}${plainKey(operation.key)}`, value: operation.value ?? '' };
      const body = template.body === undefined ? null : fill(template.body, filled, quoting(template.contentType));
      const describing = body === null ? {} : { 'content-type': template.contentType, 'content-length': Buffer.byteLength(body) };
      return {
        method: template.method,
        path: fill(template.path, filled, encodeURIComponent),
        headers: { ...headers, ...describing },
        body,
      };
    },
    answer: (operation, status, body) =>
      operation.op === 'get' ? readAnswer(operation, status, body, templates.read) : writeAnswer(operation, status, templates),
  };
}

/** Keys have slashes, which no server needs to take in a name. Names of vantages have no dots. */
const plainKey = (key: string): string => key.replaceAll('/', '.');

function templateOf(templates: LedgerTemplates, { op }: PlannedOperation) {
  const template = { put: templates.write, get: templates.read, delete: templates.delete }[op];
  if (template === undefined) throw new RangeError(`no template for ${op}: nothing of that is planned`);
  return template;
}

/** As text within quotes where it is JSON, else as it is. */
const quoting = (contentType: string): ((text: string) => string) =>
  saysJson(contentType) ? (text) => JSON.stringify(text).slice(1, -1) : (text) => text;

function fill(
  template: string,
  { key, value }: { readonly key: string; readonly value: string },
  encode: (text: string) => string,
): string {
  return template.replaceAll(/\{(?:key|value)\}/g, (word) => encode(word === '{key}' ? key : value));
}

function writeAnswer(operation: PlannedOperation, status: number, templates: LedgerTemplates): Answer {
  const { acknowledged, refused } = (operation.op === 'delete' ? templates.delete : undefined) ?? templates.write;
  const { value } = operation;
  if (acknowledged.includes(status)) return { outcome: 'ok', value };
  return { outcome: refused.includes(status) ? 'failed' : 'unknown', value, reason: `http-${status}` };
}

function readAnswer(operation: PlannedOperation, status: number, body: string, { found, absent, value }: LedgerTemplates['read']): Answer {
  if (absent.includes(status)) return { outcome: 'ok', value: null };
  if (!found.includes(status)) return { outcome: 'failed', value: null, reason: `http-${status}` };
  if (value === undefined) return { outcome: 'ok', value: body };
  const read = pointedAt(parseJson(body), value);
  return typeof read === 'string' ? { outcome: 'ok', value: read } : notUnderstood(operation);
}

/** RFC 6901. */
function pointedAt(document: unknown, pointer: string): unknown {
  const steps = pointer.split('/').slice(1);
  const words = steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  return words.reduce((at: unknown, word) => {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, word)) return undefined;
    return (at as Readonly<Record<string, unknown>>)[word];
  }, document);
}
