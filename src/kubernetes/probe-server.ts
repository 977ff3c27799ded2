import { createServer } from 'node:http';

export interface ProbeServer {
  close(): Promise<void>;
}

const PATHS: readonly (string | undefined)[] = ['/livez', '/readyz'];

/**
 * `/livez` and `/readyz` for the kubelet, over plain HTTP: it has no client certificate, and nothing is told here. Both controllers of a region are ready, the one
 * that waits too: it is the Service's label that tells who is active.
 */
export async function startProbeServer(host: string, port: number): Promise<ProbeServer> {
  const server = createServer({ requestTimeout: 5000, keepAliveTimeout: 1000 }, (request, response) => {
    const known = PATHS.includes(request.url);
    response.writeHead(known ? 200 : 404, { 'content-type': 'text/plain' }).end(known ? 'ok\n' : '');
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
