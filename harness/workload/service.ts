import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { engineDialect } from './dialect/engine.ts';
import { templateDialect } from './dialect/templates.ts';
import type { MeasuredService } from './protocol.ts';
import { Requester } from './request.ts';
import { StubResolver, type Resolution } from './resolver.ts';

/** Where the service is right now. */
export interface Finder {
  /** Never rejects; resolves within timeoutMs. */
  find(timeoutMs: number): Promise<Resolution>;
  close(): void;
}

export interface OpenService {
  readonly finder: Finder;
  readonly requester: Requester;
  /** Whether its ledger can delete. */
  readonly deletes: boolean;
}

/** Reads its files and sends nothing yet. */
export function openService(service: MeasuredService, timeoutMs: number): OpenService {
  if (service.kind === 'engine') {
    const { name, port, tls } = service;
    const files = { ca: readFileSync(tls.ca), cert: readFileSync(tls.cert), key: readFileSync(tls.key) };
    const requester = new Requester({ name, port, tls: files, timeoutMs, dialect: engineDialect });
    const resolver = new StubResolver({ address: service.resolver, port: service.resolverPort });
    return { finder: { find: (withinMs) => resolver.resolve(name, withinMs), close: () => resolver.close() }, requester, deletes: true };
  }
  const { templates, keyPrefix, headers, tls } = service;
  const url = new URL(service.url);
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  const secure = url.protocol === 'https:';
  const read = (file: string | undefined): Buffer | undefined => (file === undefined ? undefined : readFileSync(file));
  const requester = new Requester({
    name: host,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    tls: secure ? { ca: read(tls.ca), cert: read(tls.cert), key: read(tls.key) } : null,
    timeoutMs,
    dialect: templateDialect({ templates, keyPrefix, headers: { host: url.host, ...headers } }),
  });
  return { finder: systemFinder(host), requester, deletes: templates.delete !== undefined };
}

/** An address is what it is; a name is asked of the system each time, which may cache. */
function systemFinder(host: string): Finder {
  const close = (): void => undefined;
  if (isIP(host) !== 0) return { find: () => Promise.resolve({ ok: true, addresses: [host] }), close };
  return {
    close,
    find: (timeoutMs) =>
      new Promise((resolve) => {
        const limit = setTimeout(() => resolve({ ok: false, reason: 'dns-timeout' }), timeoutMs);
        const settle = (resolution: Resolution): void => {
          clearTimeout(limit);
          resolve(resolution);
        };
        lookup(host, { all: true }).then(
          (found) => settle({ ok: true, addresses: found.map(({ address }) => address) }),
          (error: NodeJS.ErrnoException) => settle({ ok: false, reason: `dns-${(error.code ?? error.name).toLowerCase()}` }),
        );
      }),
  };
}
