/** `fctl proxy`: a cluster's REST API on loopback, with the token added. Ends with Ctrl-C. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { type ClusterError, ProviderError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { proxy as declaration } from '../commands/proxy.ts';
import type { Context } from '../context.ts';
import { type Proxy, type ProxyOptions, startProxy } from '../proxy/server.ts';
import { findFiles } from '../proxy/static-files.ts';
import { Target, type TargetEvent } from '../proxy/target.ts';
import type { Given } from '../verb.ts';

export const run = (context: Context, given: Given<typeof declaration>): Promise<void> =>
  serve(context, given, () => {});

/**
 * Serves until Ctrl-C.
 * @param onUp is told the URL.
 */
export async function serve(
  context: Context,
  { cluster, port, ui }: Pick<Given<typeof declaration>, 'cluster' | 'port' | 'ui'>,
  onUp: (url: string) => void,
): Promise<void> {
  const { report, signal } = context;
  const findFile = ui === null ? null : await findFiles(ui);
  const clusterId = await context.clusterId(cluster);
  const site = await context.site();
  const target = new Target(site, clusterId, (event) => tell(context, clusterId, event));
  await target.find();
  const proxy = await start({ port, target, findFile });
  report.result({ clusterId, url: proxy.url }, () => `${clusterId} is at ${proxy.url}`);
  onUp(proxy.url);
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

function tell({ report }: Context, clusterId: ClusterId, event: TargetEvent): void {
  if (event.type === 'back') {
    report.message(`cluster ${clusterId} is back`);
    return;
  }
  for (const found of event.error.problems) report.warning(found);
  report.message('The proxy goes on, and serves the cluster when it is deployed again.');
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
