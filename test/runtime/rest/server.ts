/** A REST server on a free port of the loopback, closed with the test. */
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import {
  createRestServer,
  type RestServer,
  type RestServerOptions,
} from '../../../src/runtime/rest/server.ts';
import { silentLogger } from '../jobmanager/silent-logger.ts';
import { fakeView } from './fake-view.ts';
import { Redactor } from '../../../src/contract/secrets.ts';

export const token = 'q83vEjRWeJA';

export interface Served extends RestServer {
  readonly url: string;
}

export async function serve(options: Partial<RestServerOptions> = {}): Promise<Served> {
  const rest = await createRestServer({
    bind: '127.0.0.1',
    port: 0,
    token: null,
    maxBodyBytes: 100_000,
    view: fakeView('running'),
    redactor: new Redactor(),
    logger: silentLogger,
    ...options,
  });
  onTestFinished(() => rest.close());
  const { port, server } = rest;
  return { port, server, url: `http://127.0.0.1:${port}`, close: () => rest.close() };
}

/** What comes back for bytes, until the server closes the connection. */
export async function sendRaw(
  { port }: RestServer,
  text: string,
  then: (socket: Socket) => void = () => {},
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1');
  socket.on('data', (data) => (received += String(data)));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', (error) => (received += `[${error.message}]`));
  socket.write(text);
  then(socket);
  await closed;
  return received;
}

/** Status and JSON body of the first raw answer. */
export function parseRaw(text: string): { readonly status: number; readonly body: unknown } {
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end);
  const length = Number(/^content-length: (\d+)$/im.exec(head)![1]);
  const body = text.slice(end + 4, end + 4 + length);
  return { status: Number(head.split(' ')[1]), body: JSON.parse(body) as unknown };
}
