/**
 * Entry point of the JobManager process.
 *
 * Exit code 0: it ended as it should (the outcome says how), or another JobManager leads. 143: its platform
 * ended it, and it may be started again. Anything else: it crashed or could not start, and its log and
 * stderr say why.
 */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { runJobManager } = await import('./run-job-manager.ts');
const script = import.meta.url.endsWith('.ts')
  ? '../../application/application-main.ts'
  : 'application.js';
process.exit(await runJobManager(new URL(script, import.meta.url)));
