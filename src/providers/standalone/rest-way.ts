/**
 * The way to a JobManager's REST API on a host: through SSH, unless the user says otherwise. Its requests
 * carry the cluster's token, and as long as there is no TLS whoever reads one on the way may run code.
 */
import type { Socket } from 'node:net';
import type { LoopbackRelays } from '../shared/loopback-relays.ts';
import type { Host } from './host.ts';

export type RestWay = 'auto' | 'direct' | 'tunnel';

/** @returns the URL under which this machine reaches `url`, an address of the host. */
export async function reachRest(
  relays: LoopbackRelays,
  url: string,
  host: Host,
  way: RestWay,
): Promise<string> {
  if (way === 'direct') return url;
  const { hostname, port } = new URL(url);
  const address = hostname.replace(/^\[|\]$/g, '');
  const relay = (socket: Socket) => forward(host, address, Number(port), socket);
  return `http://127.0.0.1:${await relays.open(`${host.address} ${url}`, relay)}`;
}

async function forward(host: Host, address: string, port: number, socket: Socket): Promise<void> {
  const connection = await host.connection();
  const stream = await connection.forward(address, port);
  stream.on('error', () => socket.destroy());
  stream.once('close', () => socket.destroy());
  socket.once('close', () => stream.destroy());
  socket.pipe(stream).pipe(socket);
}
