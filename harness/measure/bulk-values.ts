import { createHash } from 'node:crypto';
import type { Scenario } from '../scenario/scenario.ts';

/** Keys of the bulk load (workload/k6/bulk.js). They are no part of the ledger: the clients that measure write others. */
export function isBulkKey(key: string): boolean {
  return key.startsWith('bulk/');
}

/** What the load writes under a key; the same function as workload/k6/bulk-value.js, which a test holds it to. */
export function bulkValue(key: string, bytes: number): string {
  let seed = 2166136261;
  for (let index = 0; index < key.length; index++) seed = Math.imul(seed ^ key.charCodeAt(index), 16777619) >>> 0;
  let text = `{"key":"${key}","values":[`;
  while (text.length < bytes) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    text += `${seed},`;
  }
  return text.slice(0, bytes);
}

/** A copy as it is recorded: values of the bulk load are many and long, and follow from their keys, so that their digest is as good. */
export function recordedEntries(entries: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  return Object.fromEntries([...entries].map(([key, value]) => [key, isBulkKey(key) ? digestOf(value) : value]));
}

/** Whether an entry of a recorded copy is one that a bulk load of the scenario writes. */
export function isBulkEntry({ method }: Scenario, key: string, recordedValue: string): boolean {
  const [, name, number] = /^bulk\/([^/]+)\/(\d+)$/.exec(key) ?? [];
  const step = method.find((one) => one.do === 'bulk' && one.name === name);
  if (step?.do !== 'bulk') return false;
  const most = Math.ceil((step.perSecond * step.forMs) / 1000) + step.perSecond;
  return Number(number) <= most && recordedValue === digestOf(bulkValue(key, step.valueBytes));
}

const digestOf = (value: string): string => `sha256:${createHash('sha256').update(value).digest('hex')}`;
