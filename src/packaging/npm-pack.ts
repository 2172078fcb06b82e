/** Downloads a package with the user's npm: with its registry, proxy, certificates, login and cache. */
import { join } from 'node:path';
import { type Problem, ProviderError, problem } from '../contract/errors.ts';

/**
 * npm checks the package against the registry's integrity.
 * @param into an empty folder.
 * @returns path of the tarball.
 * @throws ProviderError `npm-missing`, `node-not-fetched`, `node-corrupt`; what `signal` was aborted with.
 */
export async function npmPack(
  wanted: { readonly package: string; readonly version: string },
  into: string,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<string> {
  const { execa } = await import('execa');
  const spec = `${wanted.package}@${wanted.version}`;
  // Settings of the user that would make it do something else are overridden.
  const flags = ['--json', '--dry-run=false', '--ignore-scripts', '--pack-destination', into];
  const result = await execa('npm', ['pack', ...flags, spec], {
    env: environment,
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  if (!result.failed) return join(into, `${wanted.package}-${wanted.version}.tgz`);
  throw new ProviderError(
    result.code === 'ENOENT'
      ? failure('npm-missing', `npm, which fetches ${spec}, is not on the PATH`)
      : explain(spec, result.stdout, result.stderr),
    { cause: result },
  );
}

const codes: Readonly<Record<string, string>> = { EINTEGRITY: 'node-corrupt' };

/** With `--json`, npm tells what went wrong as JSON on stdout; not every version, nor always. */
function explain(spec: string, stdout: string, stderr: string): Problem {
  const { code = '', summary = '' } = errorOf(stdout);
  const why = summary.trim().split('\n')[0] || lastLine(stderr) || 'npm does not say why';
  return failure(codes[code] ?? 'node-not-fetched', `npm could not fetch ${spec}: ${why}`);
}

function errorOf(stdout: string): { code?: string; summary?: string } {
  try {
    return (JSON.parse(stdout) as { error?: object }).error ?? {};
  } catch {
    return {};
  }
}

function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => /^npm (?:error|ERR!)/.test(line));
  return lines.find((line) => !/ code /.test(line)) ?? '';
}

function failure(code: string, message: string): Problem {
  return problem({
    code,
    message,
    path: '/runtime/node',
    hint: 'it is fetched once and then kept; without a registry set runtime.node to a Node.js executable (22.18 or newer) that runs on the machines of the cluster',
  });
}
