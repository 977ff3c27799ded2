/**
 * Answers as much HTTPS as the platform looks at, and decides nothing: tests of the platform need pods that serve, not an engine. Never a
 * system under test.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import process from 'node:process';
import { parse } from 'yaml';

const config = parse(readFileSync('config.yaml', 'utf8')) as { readonly listen: { readonly host: string; readonly port: number } };
const tls = { ca: readFileSync('tls/ca.crt'), cert: readFileSync('tls/tls.crt'), key: readFileSync('tls/tls.key') };
const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (request, response) => {
  response.writeHead(request.url?.startsWith('/v1/kv/') === true ? 404 : 200).end(JSON.stringify({ timestamp: new Date().toISOString() }));
});
server.listen(config.listen.port, config.listen.host, () => process.stdout.write(`${JSON.stringify({ action: 'listening' })}\n`));
process.on('SIGTERM', () => {
  process.exitCode = 0;
  server.close();
  server.closeAllConnections();
});
