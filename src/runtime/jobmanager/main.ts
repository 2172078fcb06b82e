/** Entry point of the JobManager process. Its exit codes are in `contract/process-exit.ts`. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { runJobManager } = await import('./run-job-manager.ts');
const script = import.meta.url.endsWith('.ts')
  ? '../../application/application-main.ts'
  : 'application.js';
process.exit(await runJobManager(new URL(script, import.meta.url)));
