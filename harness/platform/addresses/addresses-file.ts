import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { fields } from '../../scenario/yaml-decode.ts';
import { OUTSIDE, type Pod } from '../platform.ts';
import { readSystem, readSystemDocument } from '../system-document.ts';

const address = z.union([z.ipv4(), z.ipv6()], { error: 'must be an IPv4 or IPv6 address' });
const name = z.string().min(1);
/** Files are called after it. */
const region = z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'must be lower-case letters, digits and dashes');
const named = <T extends z.ZodType>(of: T, what: string) =>
  z.record(region, of).refine((all) => Object.keys(all).length > 0, `is empty; name each ${what}`);

const CREDENTIALS = ['tls/ca.crt', 'tls/tls.crt', 'tls/tls.key'] as const;

/** Of a description in this folder. */
const shapeIn = (folder: string) =>
  fields({
    regions: named(fields({ api: address, database: address, controller: address }), 'region and where its programs listen'),
    authority: address,
    clients: named(fields({ resolver: address }), 'client and the resolver that it asks'),
    credentials: name.superRefine((credentials, context) => {
      const missing = CREDENTIALS.filter((file) => !existsSync(path.resolve(folder, credentials, file)));
      if (missing.length > 0)
        context.addIssue({ code: 'custom', message: `has no ${missing.join(', ')}; name the folder of an operator's credentials` });
    }),
  }).superRefine(({ regions, clients }, context) => {
    if (Object.hasOwn(regions, OUTSIDE))
      context.addIssue({
        code: 'custom',
        path: ['regions', OUTSIDE],
        message: 'is what clients in no region are called; give it another name',
      });
    for (const client of Object.keys(clients).filter((one) => one !== OUTSIDE && !Object.hasOwn(regions, one)))
      context.addIssue({ code: 'custom', path: ['clients', client], message: `is no region of this system, and not \`${OUTSIDE}\`` });
    for (const { path: at, other } of sharedAddresses(regions))
      context.addIssue({
        code: 'custom',
        path: ['regions', ...at],
        message: `is the ${at[1]} of ${other} already; give each region its own`,
      });
  });

type Region = Readonly<Record<'api' | 'database' | 'controller', string>>;

/** Who answered is told by the address alone: two regions with one API would be judged as one, and with one database compared with itself. */
function sharedAddresses(
  regions: Readonly<Record<string, Region>>,
): readonly { readonly path: [string, keyof Region]; readonly other: string }[] {
  const names = Object.keys(regions);
  return names.flatMap((region, index) =>
    (['api', 'database', 'controller'] as const).flatMap((program) => {
      const other = names.slice(0, index).find((earlier) => regions[earlier]?.[program] === regions[region]?.[program]);
      return other === undefined ? [] : [{ path: [region, program] as [string, keyof Region], other }];
    }),
  );
}

/** A system by its addresses: programs of the engine's contract (ARCHITECTURE §3) on its ports, wherever and by whomever they were started. */
export interface AddressesFile {
  readonly file: string;
  readonly regions: Readonly<Record<string, Region>>;
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
  const folder = path.dirname(file);
  const { credentials, ...rest } = readSystem(file, shapeIn(folder));
  return { file, ...rest, credentials: path.resolve(folder, credentials) };
}

/** The programs that have addresses, as if they were pods, and whoever measures. Pure. */
export function podsOf({ regions, clients, authority }: AddressesFile): readonly Pod[] {
  return [
    ...Object.entries(regions).flatMap(([at, { api, database, controller }]) => [
      asPod('api', at, api),
      asPod('db', at, database),
      asPod('dr-controller', at, controller),
    ]),
    ...Object.entries(clients).flatMap(([at, { resolver }]) => [asPod('resolver', at, resolver), asPod('client', at)]),
    asPod('dns', OUTSIDE, authority),
    asPod('operator', OUTSIDE),
  ];
}

function asPod(app: string, at: string, its?: string): Pod {
  return {
    name: `${app}-${at}`,
    namespace: '',
    region: at,
    labels: { app, region: at },
    annotations: {},
    node: at,
    phase: 'Running',
    containers: [app],
    addresses: its === undefined ? [] : [its],
  };
}
