import { BlockList, isIP, isIPv4 } from 'node:net';

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
  const family = isIP(address);
  if (family === 0) return prefix === undefined && HOST.test(host) && !/^[\d.]+$/.test(host) ? { kind: 'host', host, port } : undefined;
  const longest = family === 4 ? 32 : 128;
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || Number(prefix) > longest)) return undefined;
  return { kind: 'cidr', cidr: `${address}/${prefix ?? longest}`, port };
}

function splitPort(text: string): { host: string; port: number | null } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  if (bracketed) return { host: bracketed[1] ?? '', port: bracketed[2] === undefined ? null : Number(bracketed[2]) };
  const withPort = /^([^:]+):(\d+)$/.exec(text);
  return withPort ? { host: withPort[1] ?? '', port: Number(withPort[2]) } : { host: text, port: null };
}

export const cidrOfAddress = (address: string): string => `${address}/${isIPv4(address) ? 32 : 128}`;
export const familyOf = (cidr: string): 4 | 6 => (cidr.includes(':') ? 6 : 4);

/** Whether an address lies in a block; false across families. */
export function contains(cidr: string, address: string): boolean {
  const [network = '', prefix = ''] = cidr.split('/');
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(address) !== isIP(network)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), family);
  return list.check(address, family);
}
