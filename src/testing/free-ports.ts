import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** Given before: who has it may not listen yet, or not at the moment. */
const given = new Set<number>();

/** Ports of 127.0.0.1 that were free a moment ago, all different, and none of them given to anybody before. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  const fresh = ports.filter((port) => !given.has(port));
  for (const port of fresh) given.add(port);
  return fresh.length === count ? fresh : [...fresh, ...(await freePorts(count - fresh.length))];
}
