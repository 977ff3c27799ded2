import { EngineError } from '../platform/errors.ts';
import type { PublishedRoute } from './dns.ts';

/** The text of the TXT record that carries a route's epoch. */
export function textOf({ epoch, region }: PublishedRoute): string {
  return `epoch=${epoch} region=${region}`;
}

/** The route that a name's TXT and address records say; null where there is no TXT. Throws `dns-failed` where the TXT is not the engine's. */
export function routeOf(name: string, texts: readonly string[], addresses: readonly string[]): PublishedRoute | null {
  if (texts.length === 0) return null;
  const found = /^epoch=(\d+) region=([a-z0-9-]+)$/.exec(texts.length === 1 ? (texts[0] as string) : '');
  if (found === null)
    throw new EngineError('dns-failed', `the TXT record of ${name} is not ours: ${texts.join(' | ')}; remove it to let the engine publish`);
  return { epoch: Number(found[1]), region: found[2] as string, addresses };
}

/** What to do about a wish to publish, given what is there. */
export function judge(published: PublishedRoute | null, wanted: PublishedRoute): 'write' | 'superseded' | 'there' {
  if (published === null || published.epoch < wanted.epoch) return 'write';
  if (published.epoch > wanted.epoch || published.region !== wanted.region) return 'superseded';
  return sameAddresses(published.addresses, wanted.addresses) ? 'there' : 'write';
}

function sameAddresses(a: readonly string[], b: readonly string[]): boolean {
  const spelled = (addresses: readonly string[]): string => addresses.map(canonical).toSorted().join();
  return a.length === b.length && spelled(a) === spelled(b);
}

/** One spelling for one IPv6 address: a server may give back another than it got. */
function canonical(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]`).hostname : address;
}
