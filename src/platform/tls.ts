import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { EngineError } from './errors.ts';

export const ROLES = ['api', 'database', 'controller', 'etcd', 'client', 'operator'] as const;
export type Role = (typeof ROLES)[number];

/** Who is at the other end, from the subject of a certificate that our CA signed. */
export interface Identity {
  readonly role: Role;
  readonly region: string;
}

export interface Credentials {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Paths of the three PEM files. */
interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Reads the three PEM files; `bad-config` names the file that cannot be read. Paths are relative to `baseFolder`. */
export function loadCredentials(tls: TlsFiles, baseFolder: string): Credentials {
  const read = (field: keyof TlsFiles): Buffer => {
    const path = resolve(baseFolder, tls[field]);
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new EngineError('bad-config', `tls.${field}: cannot read ${path}`, cause);
    }
  };
  return { ca: read('ca'), cert: read('cert'), key: read('key') };
}

/** `<role>.<region>` of a subject CN, or null when it is anything else. */
export function identityFromCommonName(commonName: string): Identity | null {
  const dot = commonName.indexOf('.');
  if (dot <= 0 || dot === commonName.length - 1) return null;
  const role = ROLES.find((known) => known === commonName.slice(0, dot));
  return role === undefined ? null : { role, region: commonName.slice(dot + 1) };
}

const known = new WeakMap<TLSSocket, Identity | null>();

/** The caller of a connection: null without a certificate, with one of another CA, or with a subject that is no identity. Cached per connection. */
export function peerIdentity(socket: TLSSocket): Identity | null {
  const cached = known.get(socket);
  if (cached !== undefined) return cached;
  const identity = socket.authorized ? identityFromCommonName(commonNameOf(socket)) : null;
  known.set(socket, identity);
  return identity;
}

function commonNameOf(socket: TLSSocket): string {
  // The types promise a subject; without a certificate there is none.
  const subject = socket.getPeerCertificate().subject as { CN?: unknown } | undefined;
  return typeof subject?.CN === 'string' ? subject.CN : '';
}
