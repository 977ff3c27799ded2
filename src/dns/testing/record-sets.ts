import { isIPv4, isIPv6 } from 'node:net';

/** A record set as the API of Cloud DNS has it. */
export interface RecordSet {
  readonly name: string;
  readonly type: string;
  /** Left out where it is zero. */
  readonly ttl?: number;
  readonly rrdatas: readonly string[];
}
export interface Change {
  readonly additions: readonly RecordSet[];
  readonly deletions: readonly RecordSet[];
}
export interface Refusal {
  readonly code: number;
  readonly message: string;
}
export type RecordSets = ReadonlyMap<string, RecordSet>;

export const keyOf = ({ name, type }: { readonly name: string; readonly type: string }): string => `${name} ${type}`;

/**
 * The record sets after a change, or why all of it is refused: a deletion must be exactly what is there, an addition must not be there any more.
 * Data is kept in the service's own spelling, which need not be the writer's.
 */
export function applyChange(domain: string, before: RecordSets, change: Change): RecordSets | Refusal {
  if (change.additions.length + change.deletions.length === 0) return { code: 400, message: 'the change is empty' };
  const after = new Map(before);
  for (const deletion of change.deletions) {
    const there = before.get(keyOf(deletion));
    if (there === undefined) return { code: 404, message: `deletion ${keyOf(deletion)} does not exist` };
    if ((there.ttl ?? 0) !== (deletion.ttl ?? 0) || spelled(there) !== spelled(deletion))
      return { code: 412, message: `deletion ${keyOf(deletion)} is not what is there` };
    if (!after.delete(keyOf(deletion))) return { code: 400, message: `deletion ${keyOf(deletion)} is named twice` };
  }
  for (const addition of change.additions) {
    const problem = problemOf(domain, addition);
    if (problem !== null) return { code: 400, message: `addition ${keyOf(addition)}: ${problem}` };
    if (after.has(keyOf(addition))) return { code: 409, message: `addition ${keyOf(addition)} already exists` };
    const { name, type, ttl = 0, rrdatas } = addition;
    after.set(keyOf(addition), { name, type, ttl, rrdatas: rrdatas.map((data) => normalised(type, data)) });
  }
  return after;
}

export function isRefusal(outcome: RecordSets | Refusal): outcome is Refusal {
  return 'code' in outcome;
}

function problemOf(domain: string, { name, type, ttl = 0, rrdatas }: RecordSet): string | null {
  if (name !== domain && !name.endsWith(`.${domain}`)) return `not in ${domain}`;
  if (!Number.isInteger(ttl) || ttl < 0) return `ttl ${ttl}`;
  if (!Array.isArray(rrdatas) || rrdatas.length === 0) return 'no data';
  const good = { A: isIPv4, AAAA: isIPv6, TXT: (data: string): boolean => data.length > 0 }[type];
  if (good === undefined) return 'a type that this server does not have';
  const wrong = rrdatas.find((data) => !good(data));
  if (wrong !== undefined) return `invalid ${wrong}`;
  return new Set(rrdatas.map((data) => normalised(type, data))).size === rrdatas.length ? null : 'the same data twice';
}

/** What has no quotes is one text per word; an IPv6 address is written in its shortest form. */
function normalised(type: string, data: string): string {
  if (type === 'AAAA') return new URL(`http://[${data}]`).hostname.slice(1, -1);
  if (type !== 'TXT') return data;
  return (data.match(/"(?:[^"\\]|\\.)*"|[^\s"]+/g) ?? []).map((part) => (part.startsWith('"') ? part : `"${part}"`)).join(' ');
}

function spelled({ type, rrdatas }: RecordSet): string {
  return rrdatas
    .map((data) => normalised(type, data))
    .toSorted()
    .join('\n');
}
