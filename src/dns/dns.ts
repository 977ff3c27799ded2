/** Where the service's name points to: the addresses of one region, under the epoch that put it there. */
export interface PublishedRoute {
  readonly epoch: number;
  readonly region: string;
  /** IPv4 and IPv6, in no order. */
  readonly addresses: readonly string[];
}

export type PublishResult =
  | { readonly ok: true; readonly changed: boolean }
  /** A route of the same or a higher epoch is there; it was not touched. */
  | { readonly ok: false; readonly reason: 'superseded'; readonly published: PublishedRoute };

/**
 * The authoritative record of the service's name. A lower epoch never overwrites a higher one, however the writers interleave, and a reader never
 * sees addresses of one region with the epoch of another. Calls are bounded; both throw EngineError `dns-failed`, after which the change may or may not have been
 * made: ask again, it is idempotent. The owner calls `close` once.
 */
export interface DnsProvider {
  /** What the authoritative server answers now; null where the name has no route yet. */
  read(signal?: AbortSignal): Promise<PublishedRoute | null>;
  /** Makes this the answer and reads it back. */
  publish(route: PublishedRoute, signal?: AbortSignal): Promise<PublishResult>;
  /**
   * Where the provider can: gives the route of just this epoch and region another time to live. Nothing happens to any other route. A planned move lowers it
   * first, so that clients do not wait for it; the next `publish` of a higher epoch brings the configured one back.
   */
  readonly setTtl?: (of: Pick<PublishedRoute, 'epoch' | 'region'>, ttlSeconds: number, signal?: AbortSignal) => Promise<void>;
  close(): Promise<void>;
}
