/**
 * Entry point of the TaskManager process.
 *
 * Exit code 0: it was dismissed or told to stop. Anything else: it crashed, could not start or found no
 * JobManager, and its log and stderr say why.
 */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { runTaskManager } = await import('./run-task-manager.ts');
const script = import.meta.url.endsWith('.ts') ? 'slot-main.ts' : 'slot.js';
// `process.exit` waits for worker threads; this does not.
const kill = () => process.kill(process.pid, 'SIGKILL');
process.exit(await runTaskManager(new URL(script, import.meta.url), kill));
