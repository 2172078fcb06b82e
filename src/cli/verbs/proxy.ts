/** `fctl proxy`: a cluster's REST API on loopback, with the token added. Ends with Ctrl-C. */
import { type ClusterError, ProviderError, UsageError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { CommonOptions, Context } from '../context.ts';
import { type Proxy, type ProxyOptions, startProxy } from '../proxy/server.ts';
import { findFiles } from '../proxy/static-files.ts';
import { Target, type TargetEvent } from '../proxy/target.ts';

interface ProxyFlags extends CommonOptions {
  readonly port?: string;
  readonly ui?: string;
}

export async function run(context: Context<ProxyFlags>, named: string | undefined): Promise<void> {
  const { options, report, signal } = context;
  const port = portOf(options.port);
  const findFile = options.ui === undefined ? null : await findFiles(options.ui);
  const clusterId = await context.clusterId(named);
  const site = await context.site();
  const target = new Target(site, clusterId, (event) => tell(context, clusterId, event));
  await target.find();
  const proxy = await start({ port, target, findFile });
  report.result({ clusterId, url: proxy.url }, () => `${clusterId} is at ${proxy.url}`);
  report.message('Ctrl-C ends the proxy; the cluster goes on.');
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await proxy.close();
  // Ctrl-C is how it ends.
  const { exitCode } = signal.reason as ClusterError;
  if (exitCode === ExitCode.timedOut) throw signal.reason;
}

function tell({ report }: Context<ProxyFlags>, clusterId: string, event: TargetEvent): void {
  if (event.type === 'back') {
    report.message(`cluster ${clusterId} is back`);
    return;
  }
  for (const found of event.error.problems) report.warning(found);
  report.message('The proxy goes on, and serves the cluster when it is deployed again.');
}

function portOf(text: string | undefined): number {
  const number = text === undefined ? 0 : Number(text);
  if (Number.isInteger(number) && number >= 0 && number < 65_536) return number;
  throw new UsageError(problem({ code: 'not-a-port', message: `--port ${text} is not a port` }));
}

async function start(options: ProxyOptions): Promise<Proxy> {
  try {
    return await startProxy(options);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what =
      code === 'EADDRINUSE' ? `port ${options.port} is taken` : `cannot listen: ${message}`;
    throw new ProviderError(
      problem({ code: 'port-taken', message: what, hint: 'choose another --port' }),
      { cause: error },
    );
  }
}
