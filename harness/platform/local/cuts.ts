import type { Primitive } from '../platform.ts';
import { podNamed, type PodSpec, type Topology } from './topology.ts';

export type Cut = Extract<Primitive, { readonly act: 'cut' | 'cut-external' | 'lose' }>;
type Between = Extract<Cut, { readonly from: readonly string[] }>;

export const isCut = (primitive: Primitive): primitive is Cut => ['cut', 'cut-external', 'lose'].includes(primitive.act);

/** Of so many packets, for a rule that drops a share of them. */
const OF = 10_000;

/**
 * The one nft command line (one transaction) that makes these cuts hold, in a table of their own: several injections overlap without
 * knowing each other, and undoing one is deleting its table. Dropping at the bridge, statelessly, cuts established connections too, IPv4,
 * IPv6 and ARP alike, and leaves traffic inside a pod alone. Pure; throws RangeError for an unknown pod or an impossible CIDR.
 */
export function cutCommand(table: string, topology: Topology, cuts: readonly Cut[]): string {
  const rules = cuts.flatMap((cut) => (cut.act === 'cut-external' ? externalRule(topology, cut) : pairRule(topology, cut)));
  return [
    `add table bridge ${table}`,
    `add chain bridge ${table} cut { type filter hook forward priority 0; policy accept; }`,
    ...rules.map((rule) => `add rule bridge ${table} cut ${rule} counter drop`),
  ].join('; ');
}

/** Undoes cutCommand. Pure. */
export function healCommand(table: string): string {
  return `delete table bridge ${table}`;
}

function pairRule(topology: Topology, cut: Between): readonly string[] {
  const pairs = cut.from.flatMap((from) => cut.to.filter((to) => to !== from).map((to) => [from, to] as const));
  if (pairs.length === 0) return [];
  const elements = new Set(pairs.map(([from, to]) => `${port(podNamed(topology, from))} . ${port(podNamed(topology, to))}`));
  return [`iifname . oifname { ${[...elements].join(', ')} }${chance(cut)}`];
}

/** nft refuses a comparison that always holds. */
function chance(cut: Between): string {
  const dropped = cut.act === 'lose' ? Math.round(cut.share * OF) : OF;
  return dropped < OF ? ` numgen random mod ${OF} < ${dropped}` : '';
}

function externalRule(topology: Topology, cut: Extract<Cut, { act: 'cut-external' }>): readonly string[] {
  if (cut.pods.length === 0) return [];
  const ports = [...new Set(cut.pods.map((name) => port(podNamed(topology, name))))].join(', ');
  const side = cut.direction === 'to' ? 'iifname' : 'oifname';
  const field = cut.direction === 'to' ? 'daddr' : 'saddr';
  const portField = cut.direction === 'to' ? 'dport' : 'sport';
  const l4 = cut.port === undefined ? '' : ` meta l4proto { tcp, udp } th ${portField} ${cut.port}`;
  return [`${side} { ${ports} } ${network(cut.cidr, field)}${l4}`];
}

/** `ip daddr 10.0.0.0/8`; a whole family is matched by its type, since nft refuses a /0 prefix. */
function network(cidr: string, field: 'daddr' | 'saddr'): string {
  const match = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(cidr);
  if (match === null) throw new RangeError(`not a CIDR: ${cidr}`);
  const family = cidr.includes(':') ? 'ip6' : 'ip';
  const widest = family === 'ip' ? 32 : 128;
  const bits = match[2] === undefined ? widest : Number(match[2]);
  if (bits > widest) throw new RangeError(`not a CIDR: ${cidr} (at most /${widest})`);
  return bits === 0 ? `ether type ${family}` : `${family} ${field} ${match[1]}/${bits}`;
}

function port(pod: PodSpec): string {
  return `"${pod.bridgePort}"`;
}
