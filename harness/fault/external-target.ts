import { bitsOf, parseAddress } from './ip-address.ts';

/** One entry of `externalTargets`, as written: an address, a CIDR, a host name, each optionally with a port. */
export type ExternalTarget =
  | { readonly kind: 'cidr'; readonly cidr: string; readonly port: number | null }
  | { readonly kind: 'host'; readonly host: string; readonly port: number | null };

/** A block of addresses after names were resolved. */
export interface Block {
  readonly cidr: string;
  readonly port: number | null;
}

const HOST = /^(?=.{1,253}$)[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)*\.?$/i;

/** undefined when the text is none of these. IPv6 with a port is written `[fd00::1]:443`, as everywhere. */
export function parseExternalTarget(text: string): ExternalTarget | undefined {
  const { host, port } = splitPort(text);
  if (port !== null && !(port >= 1 && port <= 65_535)) return undefined;
  const [address = '', prefix, ...rest] = host.split('/');
  if (rest.length > 0) return undefined;
  const parsed = parseAddress(address);
  if (!parsed) return prefix === undefined && HOST.test(host) && !/^[\d.]+$/.test(host) ? { kind: 'host', host, port } : undefined;
  const bits = bitsOf(parsed.family);
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits)) return undefined;
  return { kind: 'cidr', cidr: `${address}/${Number(prefix ?? bits)}`, port };
}

function splitPort(text: string): { host: string; port: number | null } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  if (bracketed) return { host: bracketed[1] ?? '', port: bracketed[2] === undefined ? null : Number(bracketed[2]) };
  const withPort = /^([^:]+):(\d+)$/.exec(text);
  return withPort ? { host: withPort[1] ?? '', port: Number(withPort[2]) } : { host: text, port: null };
}

/** Of an address or a CIDR. */
export const familyOf = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4);
export const cidrOfAddress = (address: string): string => `${address}/${bitsOf(familyOf(address))}`;

/** Whether an address lies in a block; false across families. */
export function contains(cidr: string, address: string): boolean {
  const [network = '', prefix = ''] = cidr.split('/');
  const [block, one] = [parseAddress(network), parseAddress(address)];
  if (!block || !one || block.family !== one.family) return false;
  const ignored = BigInt(bitsOf(block.family) - Number(prefix));
  return block.value >> ignored === one.value >> ignored;
}
