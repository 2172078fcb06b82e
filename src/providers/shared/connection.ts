/** What `connect` of every provider gives, from the endpoint that the leader wrote into the record. */
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Call } from '../../contract/call.ts';
import type { EndpointDocument } from '../../record/documents.ts';
import type { ClusterConnection } from '../provider.ts';

/**
 * @param url as reached from here.
 * @param dial a connection to the REST port; without it a plain one to `url`.
 */
export function connectionTo(
  { epoch, jobmanager }: EndpointDocument,
  url: string,
  token: string | null,
  dial: (call: Call) => Promise<Duplex> = (call) => dialPlain(url, call),
): ClusterConnection {
  return { leader: jobmanager.resourceId, epoch, url, token, dial };
}

async function dialPlain(url: string, { signal }: Call): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port),
    noDelay: true,
  });
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw error;
  }
}
