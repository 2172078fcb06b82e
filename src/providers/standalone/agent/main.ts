/**
 * The host agent: `node host-agent.js DIR`, started by the standalone provider over SSH, ends with the
 * connection. One file, which is shipped to hosts by its hash: it belongs to the client's version.
 */
import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { hostMethods } from './methods.ts';
import { agentProtocol } from './protocol.ts';
import { serve } from './serve.ts';

const dir = resolve(process.argv[2]!);
// Whoever looks into /proc/PID/environ of a process must not find where the client came from.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(SSH_|XDG_SESSION|OLDPWD$|_$)/.test(name)),
);
const [, , serverAddress = null] = (process.env['SSH_CONNECTION'] ?? '').split(' ');
const addresses = Object.values(networkInterfaces()).flatMap((all) =>
  (all ?? []).map(({ address }) => address),
);
const hello = { protocol: agentProtocol, pid: process.pid, addresses, serverAddress, dir };
process.umask(0o077);
process.chdir('/');
process.stdout.on('error', () => process.exit(0)); // The client is gone.
await serve(hostMethods(dir, environment), hello, {
  input: process.stdin,
  output: process.stdout,
}).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
process.exit();
