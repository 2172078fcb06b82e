/** Entry point of the `fctl` command: the only place of the client side that ends the process. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  runtimeDir: import.meta.dirname,
  cacheDir: join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fctl'),
  exit: (code) => process.exit(code),
  environment: process.env,
});
