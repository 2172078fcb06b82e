/**
 * Keeps requests to this machine away from proxies. Where Node.js is told to heed the proxy of the
 * environment (NODE_USE_ENV_PROXY), it does so for all hosts that NO_PROXY does not name; a local cluster,
 * and one behind a tunnel, is reached on loopback, where no proxy is.
 */
const loopback = ['127.0.0.1', 'localhost', '[::1]', '::1'];

/** @param environment of this process, which is changed: it is read at each request. */
export function reachLoopbackDirectly(environment: NodeJS.ProcessEnv): void {
  const given = environment['no_proxy'] ?? environment['NO_PROXY'] ?? '';
  if (given.trim() === '*') return;
  const all = [given, ...loopback].filter((name) => name.trim() !== '').join(',');
  environment['no_proxy'] = all;
  environment['NO_PROXY'] = all;
}
