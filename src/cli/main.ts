/** Entry point of the `fctl` command: the only place of the client side that ends the process. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { reachLoopbackDirectly } from './loopback.ts';
import { watchStreams } from './output/streams.ts';
import { run } from './run.ts';

watchStreams(process, (code) => {
  if (code !== undefined) process.exitCode = code;
  process.exit();
});

// A config file that is a script runs here, and stdout is for results.
globalThis.console = new console.Console(process.stderr);

reachLoopbackDirectly(process.env);

process.exitCode = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  runtimeDir: import.meta.dirname,
  cacheDir: join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fctl'),
  configDir: join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'fctl'),
  exit: (code) => process.exit(code),
  environment: process.env,
});
