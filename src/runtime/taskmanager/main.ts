/** Entry point of the TaskManager process. Its exit codes are in `contract/process-exit.ts`. */
import { enableCompileCache } from 'node:module';

// All slots share the thread pool, whose default is 4; it takes its size before anything else is loaded.
process.env['UV_THREADPOOL_SIZE'] ??= '16';
enableCompileCache();
const { runTaskManager } = await import('./run-task-manager.ts');
const script = import.meta.url.endsWith('.ts') ? 'slot-thread.ts' : 'slot-thread.js';
/**
 * `process.exit` waits for worker threads, also for one that hangs in native code. Becoming another
 * program ends them all, and keeps the exit code, which SIGKILL does not.
 */
const exitNow = (code: number): void => {
  try {
    process.execve?.(process.execPath, [process.execPath, '-e', `process.exit(${code})`], {});
  } finally {
    process.kill(process.pid, 'SIGKILL');
  }
};
process.exit(await runTaskManager(new URL(script, import.meta.url), exitNow));
