/**
 * A program that lives for a few milliseconds inside a pod's network namespace: it binds one UDP socket a family and hands both to its
 * parent. A socket belongs to the namespace it was made in, whoever holds it; that is how one process sends between all pods.
 */
import { createSocket, type SocketType } from 'node:dgram';
import { once } from 'node:events';

async function bound(type: SocketType): Promise<ReturnType<typeof createSocket>> {
  const socket = createSocket({ type, ipv6Only: type === 'udp6' });
  socket.bind(0);
  await once(socket, 'listening');
  return socket;
}

const send = process.send?.bind(process);
if (!send) throw new Error('socket-maker is started by the reach process, which takes its sockets');
for (const [family, type] of [
  [4, 'udp4'],
  [6, 'udp6'],
] as const) {
  const socket = await bound(type);
  const { port } = socket.address();
  await new Promise<void>((resolve, reject) => {
    send({ family, port }, socket, {}, (error) => (error ? reject(error) : resolve()));
  });
  socket.close();
}
process.disconnect();
