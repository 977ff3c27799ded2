import { parse } from 'yaml';
import { KUBERNETES_SETTINGS } from '../kubernetes/config.ts';
import { BACKUP_SETTINGS } from './backup-config.ts';
import { configShape } from './config.ts';
import { DATABASE_SETTINGS } from './foundationdb-config.ts';
import { policyShape } from './policy.ts';

export const ENVIRONMENT_PREFIX = 'CODITECT_DR_';

export interface Override {
  readonly name: string;
  readonly path: readonly string[];
}

export interface Overridden {
  readonly value: Record<string, unknown>;
  readonly overrides: readonly Override[];
  /** Names with our prefix that no setting has: a typing error would otherwise be silent. */
  readonly unknown: readonly string[];
}

/** Lays `CODITECT_DR_<UPPER_SNAKE>` over a configuration: nested settings join with `_` (CODITECT_DR_LISTEN_PORT); values are YAML, lists may be `a,b`. */
export function applyEnvironment(
  raw: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): Overridden {
  const value = structuredClone(raw) as Record<string, unknown>;
  const paths = new Map(settingPaths(raw).map((path) => [environmentName(path), path]));
  const overrides: Override[] = [];
  const unknown: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(ENVIRONMENT_PREFIX) || text === undefined) continue;
    const path = paths.get(name);
    if (path === undefined) unknown.push(name);
    else {
      overrides.push({ name, path });
      setIn(value, path, decodeValue(text, path));
    }
  }
  return { value, overrides, unknown };
}

export function environmentName(path: readonly string[]): string {
  const snake = (step: string): string => step.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/[^A-Za-z0-9]/g, '_');
  return ENVIRONMENT_PREFIX + path.map(snake).join('_').toUpperCase();
}

function settingPaths(raw: Readonly<Record<string, unknown>>): readonly (readonly string[])[] {
  const nested: Readonly<Record<string, readonly string[]>> = {
    listen: ['host', 'port'],
    arbiter: ['kind', 'endpoints', 'prefix', 'bucket', 'project', 'endpoint'],
    dns: ['kind', 'server', 'port', 'zone', 'name', 'ttl_seconds', 'project', 'managed_zone', 'endpoint'],
    tls: ['ca', 'cert', 'key'],
    data: ['path'],
    database: DATABASE_SETTINGS,
    policy: ['preset', ...Object.keys(policyShape.shape)],
  };
  const regions = Object.keys((raw['regions'] ?? {}) as object);
  return [
    ...Object.keys(configShape.shape).map((key) => [key]),
    ...Object.entries(nested).flatMap(([key, fields]) => fields.map((field) => [key, field])),
    ...['name', 'algorithm', 'secret_file'].map((field) => ['dns', 'tsig', field]),
    ...BACKUP_SETTINGS.map((path) => ['backup', ...path]),
    ...KUBERNETES_SETTINGS.map((path) => ['kubernetes', ...path]),
    ...['program', 'args'].map((field) => ['hooks', 'before_failover', field]),
    ...regions.flatMap((region) => ['api', 'database', 'controller', 'addresses', 'capacity'].map((field) => ['regions', region, field])),
  ];
}

const LISTS = new Set(['standby_regions', 'endpoints', 'addresses', 'trusted_files']);

function decodeValue(text: string, path: readonly string[]): unknown {
  if (LISTS.has(path.at(-1) ?? '') && !text.trim().startsWith('[')) return text.split(',').map((part) => part.trim());
  try {
    return parse(text, { maxAliasCount: 0 }) as unknown;
  } catch {
    return text;
  }
}

function setIn(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    target[head] = value;
    return;
  }
  const inner = target[head];
  // `policy: lab` is short for {preset: lab}; overriding one of its numbers needs the long form.
  const expanded = head === 'policy' && typeof inner === 'string' ? { preset: inner } : inner;
  target[head] = typeof expanded === 'object' && expanded !== null ? { ...expanded } : {};
  setIn(target[head] as Record<string, unknown>, rest, value);
}
