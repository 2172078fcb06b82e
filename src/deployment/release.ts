/** What a release is made of: resolved config, application, engine version; never paths of the client. */
import type { ResolvedConfig } from '../config/resolved.ts';
import { canonicalJson, keyedHash, sha256 } from '../contract/hash.ts';
import { splitSecrets } from '../contract/secrets.ts';
import { findProvider } from '../providers/registry.ts';

/**
 * Hash that names a release; equal for equal releases on any client. Secret arguments count by a hash
 * with a key, the cluster's token does not count: it belongs to the cluster, not to a release.
 *
 * @param secretsHash `hashSecrets` of the same config.
 */
export function releaseHash(
  config: ResolvedConfig,
  bundleHash: string | null,
  engine: string,
  secretsHash: string | null,
): string {
  const { projectDir: _folder, application, providers, runtime: _node, ...rest } = config;
  const content = {
    ...rest,
    application: portable(application, secretsHash),
    provider: { name: config.provider, ...findProvider(config.provider)?.portable(providers) },
    bundleHash,
    engine,
  };
  return sha256(canonicalJson(content)).slice(0, 16);
}

/**
 * Keyed hash of the secret arguments; `null`: there are none, so that a release without secrets has the
 * same name before a cluster, and with it its key, is there.
 *
 * @param key known to whoever may deploy the cluster.
 */
export function hashSecrets({ application }: ResolvedConfig, key: string): string | null {
  if (application === null || application.secretArgs.length === 0) return null;
  const { secrets } = splitSecrets(application.args, application.secretArgs);
  return keyedHash(key, canonicalJson(secrets));
}

function portable(application: ResolvedConfig['application'], secretsHash: string | null) {
  if (application === null) return null;
  const { args, secretArgs, entry: _path, ...rest } = application;
  const { masked } = splitSecrets(args, secretArgs);
  return { ...rest, args: masked, secrets: secretsHash };
}
