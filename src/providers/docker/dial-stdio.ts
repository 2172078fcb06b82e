/**
 * Connections to an engine behind SSH, made as Docker's own client makes them: the machine's `ssh`
 * runs `docker system dial-stdio` over there. So hosts, keys, agents, jumps and known hosts are what the
 * user's SSH configuration says. It asks nothing: who has to type a password gets an error.
 */
import type { Duplex } from 'node:stream';
import { ProcessStream } from '../shared/process-stream.ts';
import type { EngineAddress } from './engine-address.ts';

type SshAddress = Extract<EngineAddress, { transport: 'ssh' }>;

/** @returns arguments of `ssh`. */
function sshArguments({ host, port, socketPath, user }: SshAddress): string[] {
  return [
    '-o',
    'BatchMode=yes',
    '-o',
    'ConnectTimeout=15',
    '-T',
    ...(user === null ? [] : ['-l', user]),
    ...(port === null ? [] : ['-p', String(port)]),
    '--',
    host,
    'docker',
    ...(socketPath === null ? [] : ['--host', `unix://${socketPath}`]),
    'system',
    'dial-stdio',
  ];
}

/** @returns a connection to the engine; what goes wrong with it is an error of the stream. */
export function connectBySsh(address: SshAddress): Duplex {
  const options = { name: 'ssh', errorCode: 'ESSH' };
  return new ProcessStream(['ssh', ...sshArguments(address)], options);
}
