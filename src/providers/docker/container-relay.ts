/**
 * The way to a port in a container of an engine that runs elsewhere: a connection goes on as a command in
 * the container, over the engine's own API. So nothing but the engine has to be reachable.
 */
import type { Socket } from 'node:net';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { EngineClient } from './client.ts';
import { readFrames } from './frames.ts';

export interface ContainerPort {
  /** Its id. */
  readonly container: string;
  /** The Node.js in it. */
  readonly node: string;
  readonly port: number;
}

/** Carries a connection to a port on the container's loopback. Ends with either side. */
export async function relayToContainer(
  engine: EngineClient,
  { container, node, port }: ContainerPort,
  socket: Socket,
): Promise<void> {
  const script = `
    const socket = require('node:net').connect({ port: ${port}, host: '127.0.0.1', allowHalfOpen: true });
    process.stdin.pipe(socket).pipe(process.stdout);
    socket.on('error', () => process.exit(1));
    socket.on('close', () => process.exit(0));`;
  const exec = await engine.ask(
    (docker) =>
      docker.getContainer(container).exec({
        Cmd: [node, '-e', script],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
      }),
    { repeatable: false },
  );
  const stream = (await engine.ask(() => exec.start({ hijack: true, stdin: true }), {
    repeatable: false,
  })) as Duplex;
  socket.once('close', () => stream.destroy());
  stream.on('error', () => socket.destroy());
  socket.pipe(stream);
  for await (const { bytes, kind } of readFrames(stream)) {
    if (kind === 'stdout' && !socket.write(bytes)) await once(socket, 'drain');
  }
  socket.end();
}
