import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { ContainerLog } from './container-log.ts';
import type { Identities } from './identities.ts';

/**
 * The node's own endpoint, which the API server asks for logs: `GET /containerLogs/NAMESPACE/POD/CONTAINER[?follow=true]`. Only a certificate of
 * the cluster opens it.
 */
export async function serveLogs(
  identities: Identities,
  host: string,
  logOf: (pod: string, container: string) => ContainerLog | undefined,
): Promise<Server> {
  const { caPem, server } = identities;
  const tls = { ca: caPem, cert: server.certPem, key: server.keyPem, requestCert: true, rejectUnauthorized: true };
  const listening = createServer(tls, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://node');
    const [, what, , pod = '', container = ''] = url.pathname.split('/');
    const log = what === 'containerLogs' ? logOf(pod, container) : undefined;
    if (log === undefined) return void response.writeHead(404).end('no such container on this node\n');
    send(log, response, url.searchParams.get('follow') === 'true');
  });
  listening.listen(0, host);
  await once(listening, 'listening');
  return listening;
}

function send(log: ContainerLog, response: ServerResponse, follow: boolean): void {
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  const stop = log.read({ onLine: (line) => void response.write(`${line}\n`), onEnd: () => void response.end() }, follow);
  response.once('close', stop).on('error', () => undefined);
}
