import { request } from 'node:https';
import type { Credentials } from '../../platform/local/certificates.ts';

export interface Question {
  readonly url: string;
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly body?: string;
  /** Whose certificate to show. */
  readonly as: Credentials;
  /** Show no certificate at all; `as` only says which authority to believe. */
  readonly anonymous?: boolean;
}
export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const TIMEOUT_MS = 10_000;

/** One HTTPS request on a connection of its own. Rejects when there is no answer within 10 s. */
export function ask({ url, method = 'GET', body, as, anonymous = false }: Question): Promise<Reply> {
  const identity = anonymous ? {} : { cert: as.certPem, key: as.keyPem };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, ca: as.caPem, ...identity, agent: false, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${url}: no answer in ${TIMEOUT_MS} ms`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
