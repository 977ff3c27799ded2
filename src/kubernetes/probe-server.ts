import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ProbeServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * `/livez` and `/readyz` for the kubelet, over plain HTTP: it has no client certificate, and nothing is told here. Both controllers of a region are ready, the one
 * that waits too: it is the Service's label that tells who is active.
 */
export async function startProbeServer(host: string, port: number, ready: () => boolean): Promise<ProbeServer> {
  const server = createServer({ requestTimeout: 5000, keepAliveTimeout: 1000 }, (request, response) => {
    const known = request.url === '/livez' || request.url === '/readyz';
    const good = known && (request.url === '/livez' || ready());
    response.writeHead(!known ? 404 : good ? 200 : 503, { 'content-type': 'text/plain' }).end(good ? 'ok\n' : known ? 'not yet\n' : '');
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
