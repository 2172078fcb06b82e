/** Ports of a cluster, and whether they can be listened on. */
import { type AddressInfo, createServer } from 'node:net';
import { type Problem, problem } from '../../contract/errors.ts';
import type { ClusterSpec } from '../../contract/process-spec.ts';

/** A port, or an address to listen on, that the user chose. */
export interface ChosenPort {
  readonly role: string;
  readonly name: string;
  /** 0: any. */
  readonly port: number;
  /** `null`: where the place lets processes listen. */
  readonly bind: string | null;
  /** The config key of the port. */
  readonly path: string;
}

/** Those with a fixed port, or an address of their own. */
export function chosenPorts({ processes }: Pick<ClusterSpec, 'processes'>): ChosenPort[] {
  return processes.flatMap(({ ports, role }) =>
    ports
      .map(({ bind = null, name, port }) => ({
        role,
        name,
        port,
        bind,
        path: `/${role}/${name}/port`,
      }))
      .filter(({ bind, port }) => port !== 0 || bind !== null),
  );
}

/** @param subject `port 8081 of h1`. */
export function portTaken(subject: string, holder: string, path: string): Problem {
  return problem({
    code: 'port-taken',
    message: `${subject} is taken by ${holder}`,
    path,
    hint: 'choose another port, or 0 to have a free one chosen',
  });
}

/** Listens for a moment: whoever else has the port does not matter. @returns the port, or why it is not to be had. */
export function tryPort(host: string, port: number): Promise<number | NodeJS.ErrnoException> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error));
    server.listen({ host, port, exclusive: true }, () => {
      const { port: found } = server.address() as AddressInfo;
      server.close(() => resolve(found));
    });
  });
}
