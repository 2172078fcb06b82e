/** Entry point of the `fctl` command: the only place of the client side that ends the process. */
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  runtimeDir: import.meta.dirname,
  environment: process.env,
});
