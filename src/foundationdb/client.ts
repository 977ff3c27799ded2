import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import type * as Fdb from 'foundationdb';
import type { FoundationdbConfig } from '../config/foundationdb-config.ts';
import { EngineError } from '../platform/errors.ts';
import { needClusterFile } from './cluster-file.ts';
import { fdbcliWords, type Fdbcli } from './fdbcli.ts';
import { CODES, codeOf } from './outcome.ts';

/** Highest API version that npm foundationdb 2.0.1 knows; clients and servers from 7.2 on have it. */
const API_VERSION = 720;
const LIBRARY = 'libfdb_c.so';
const HOW =
  'install the FoundationDB client package of the version of your servers (foundationdb-clients), or name the library with database.client_library';

export interface ClientSettings {
  readonly clusterFile: string;
  /** Path of `libfdb_c.so`; null: wherever the system's loader finds it. */
  readonly library: string | null;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } | null;
  /** Where this process is: what has a copy there is read from that one, not across an ocean from any. */
  readonly dataCenter?: string;
}

/** As they are configured. @param folder of the configuration file */
export function clientSettings(
  { cluster_file: clusterFile, client_library: library, tls }: FoundationdbConfig,
  folder: string,
): ClientSettings {
  const at = (path: string): string => resolve(folder, path);
  return {
    clusterFile: at(clusterFile),
    library: library ?? null,
    tls: tls === undefined ? null : { ca: at(tls.ca), cert: at(tls.cert), key: at(tls.key) },
  };
}

/** The same for FoundationDB's own programs. */
export function forPrograms({ clusterFile, tls }: ClientSettings): Omit<Fdbcli, 'program'> {
  return tls === null ? { clusterFile } : { clusterFile, tls };
}

/** FoundationDB's shell on the same cluster, as somebody types it. */
export function fdbcliFor(settings: ClientSettings): string {
  return fdbcliWords(forPrograms(settings));
}

type Native = typeof Fdb;
let loaded: { readonly native: Native; readonly settings: string } | null = null;

/**
 * Opens the cluster that the file names. The client library and its one network thread are a process's own, so that TLS and library are settled by the first call; a later one with
 * others throws. Nothing is asked of the cluster yet. Throws EngineError `bad-config` that tells what is missing and how to get it. `setting`: what names the file.
 */
export function openCluster(settings: ClientSettings, setting?: string): Fdb.Database {
  needClusterFile(settings.clusterFile, setting);
  try {
    const { clusterFile, dataCenter } = settings;
    return load(settings).open(clusterFile, dataCenter === undefined ? undefined : { datacenter_id: dataCenter });
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError('bad-config', `the FoundationDB client cannot open ${settings.clusterFile}: ${messageOf(error)}`, error);
  }
}

function load({ library, tls }: ClientSettings): Native {
  const settings = JSON.stringify({ library, tls });
  if (loaded !== null) {
    if (loaded.settings !== settings)
      throw new EngineError('internal', 'the FoundationDB client of this process is set up otherwise already');
    return loaded.native;
  }
  preload(library);
  const native = requirePackage();
  try {
    native.setAPIVersion(API_VERSION);
  } catch (error) {
    if (codeOf(error) !== CODES.apiVersionNotSupported) throw error;
    throw new EngineError(
      'bad-config',
      `${library ?? LIBRARY} does not know API version ${API_VERSION}: it is older than 7.2. Take the library of 7.3 and give it that of your servers as FDB_NETWORK_OPTION_EXTERNAL_CLIENT_DIRECTORY`,
      error,
    );
  }
  if (tls !== null) native.configNetwork({ TLS_ca_path: tls.ca, TLS_cert_path: tls.cert, TLS_key_path: tls.key });
  loaded = { native, settings };
  return native;
}

/**
 * The package is linked to `libfdb_c.so` by name and complains on the console where the loader does not find it. A library that was loaded before under that name serves as well (it is
 * linked with -z nodelete), so it is loaded here by its path, and a failure gets our words. Node refuses it as a module, which it is not: that is expected.
 */
function preload(library: string | null): void {
  const flags = constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL;
  try {
    process.dlopen({ exports: {} }, library ?? LIBRARY, flags);
  } catch (error) {
    const said = messageOf(error);
    if (said.includes('did not self-register')) return;
    throw new EngineError('bad-config', `the FoundationDB client library cannot be loaded (${said}): ${HOW}`, error);
  }
}

function requirePackage(): Native {
  try {
    return createRequire(import.meta.url)('foundationdb') as Native;
  } catch (error) {
    throw new EngineError('bad-config', `the npm package foundationdb cannot be loaded (${firstLine(error)}): ${howToLoad(error)}`, error);
  }
}

/** Of the npm package that cannot be loaded. */
export function howToLoad(error: unknown): string {
  if ((error as { readonly code?: unknown }).code === 'MODULE_NOT_FOUND')
    return 'npm install foundationdb@2.0.1 brings it (it is an optional dependency)';
  return messageOf(error).startsWith('No native build')
    ? `on Linux it comes built for x86-64 only, and this is ${process.arch}; elsewhere it has to be built (npm rebuild foundationdb, with a C++ compiler and the headers of foundationdb-clients; not tried)`
    : HOW;
}

const firstLine = (error: unknown): string => messageOf(error).split('\n', 1)[0] ?? '';

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
