/**
 * Runs `main()` on this machine, for the modes in which that is the client's work: in a process of its
 * own, which ends with this one.
 */
import { spawn } from 'node:child_process';
import {
  type ApplicationEvent,
  type ApplicationResult,
  type ApplicationStart,
  type ClusterReply,
  type ClusterRequest,
  isApplicationResult,
  mainFailure,
} from '../../contract/application-messages.ts';

export interface ClientApplicationOptions {
  /** The built script of the process of `main()`. */
  readonly script: string;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly start: ApplicationStart;
  readonly onEvent: (event: ApplicationEvent) => void;
  /** What `main()` prints. */
  readonly onOutput: (text: string) => void;
  /** Answers what submitters ask when they need another JobManager. Never rejects. */
  readonly answer?: (request: ClusterRequest) => Promise<ClusterReply>;
  /** Ends the process; its jobs go on. */
  readonly signal: AbortSignal;
}

/** @returns how `main()` ended. Rejects with the signal's reason. */
export async function runClientApplication(
  options: ClientApplicationOptions,
): Promise<ApplicationResult> {
  const { script, signal, start, workingDirectory } = options;
  signal.throwIfAborted();
  const child = spawn(process.execPath, ['--enable-source-maps', script], {
    cwd: workingDirectory,
    env: { ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Ctrl-C is for fctl, which decides what becomes of main().
    detached: true,
  });
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', options.onOutput);
  }
  let result: ApplicationResult | null = null;
  child.on('message', (message: unknown) => {
    if (isApplicationResult(message)) result ??= message;
    else take(message as ApplicationEvent | ClusterRequest);
  });
  const take = (message: ApplicationEvent | ClusterRequest): void => {
    if (message.type !== 'cluster-wanted' && message.type !== 'result-wanted')
      return options.onEvent(message);
    void options.answer?.(message).then((reply) => child.connected && child.send(reply, () => {}));
  };
  const stop = () => child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  const death = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`main() could not be started: ${error.message}`));
    child.once('close', (code, by) =>
      resolve(`the process of main() ended before main() did (${by ?? `code ${code}`})`),
    );
    child.send(start, () => {});
  });
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  return result ?? mainFailure(death, null, 'client');
}
