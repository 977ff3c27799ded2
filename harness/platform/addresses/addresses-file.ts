import path from 'node:path';
import { z } from 'zod';
import { fields } from '../../scenario/yaml-decode.ts';
import { OUTSIDE } from '../platform.ts';
import { readSystem, readSystemDocument } from '../system-document.ts';

const address = z.union([z.ipv4(), z.ipv6()], { error: 'must be an IPv4 or IPv6 address' });
const name = z.string().min(1);
const named = <T extends z.ZodType>(of: T, what: string) =>
  z.record(name, of).refine((all) => Object.keys(all).length > 0, `is empty; name each ${what}`);

const shape = fields({
  regions: named(fields({ api: address, database: address, controller: address }), 'region and where its programs listen'),
  authority: address,
  clients: named(fields({ resolver: address }), 'client and the resolver that it asks'),
  credentials: name,
}).superRefine(({ regions, clients }, context) => {
  for (const client of Object.keys(clients).filter((one) => one !== OUTSIDE && !Object.hasOwn(regions, one)))
    context.addIssue({ code: 'custom', path: ['clients', client], message: `is no region of this system, and not \`${OUTSIDE}\`` });
  const regionOf = new Map<string, string>();
  for (const [region, { api }] of Object.entries(regions)) {
    const other = regionOf.get(api);
    // Who answered is told by the address alone: two regions would be judged as one.
    if (other !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['regions', region, 'api'],
        message: `is the API of ${other} already; give each region its own`,
      });
    regionOf.set(api, region);
  }
});

/** A system by its addresses: programs of the engine's contract (ARCHITECTURE §3) on its ports, wherever and by whomever they were started. */
export interface AddressesFile {
  readonly file: string;
  readonly regions: Readonly<Record<string, { readonly api: string; readonly database: string; readonly controller: string }>>;
  /** The authoritative server of the service's name. */
  readonly authority: string;
  /** One client, a vantage, each: by the region in which it counts, or `outside`. All run on this machine. */
  readonly clients: Readonly<Record<string, { readonly resolver: string }>>;
  /** Folder with `tls/ca.crt`, `tls/tls.crt` and `tls/tls.key` of an operator; absolute. */
  readonly credentials: string;
}

/** Whether a description of a system names addresses; else it names clusters. Throws HarnessError `bad-input` where it cannot be read. */
export function namesAddresses(file: string): boolean {
  const document = readSystemDocument(file);
  return ['authority', 'clients', 'credentials'].some((field) => document.has([field]));
}

/** Paths in it are relative to it. Throws HarnessError `bad-input` with every problem and its place. */
export function readAddressesFile(file: string): AddressesFile {
  const { credentials, ...rest } = readSystem(file, shape);
  return { file, ...rest, credentials: path.resolve(path.dirname(file), credentials) };
}
