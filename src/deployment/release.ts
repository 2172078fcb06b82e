/** What a release is made of: resolved config, application, engine version; never paths of the client. */
import type { ResolvedConfig } from '../config/resolved.ts';
import { canonicalJson, keyedHash, sha256 } from '../contract/hash.ts';
import { splitSecrets } from '../contract/secrets.ts';

/**
 * Hash that names a release; equal for equal releases on any client. Secret arguments count by a hash
 * with a key, the cluster's token does not count: it belongs to the cluster, not to a release.
 *
 * @param key known to whoever may deploy the cluster.
 */
export function releaseHash(
  config: ResolvedConfig,
  bundleHash: string | null,
  engine: string,
  key: string,
): string {
  const { projectDir: _folder, application, providers, runtime: _node, ...rest } = config;
  const content = {
    ...rest,
    application: portable(application, key),
    provider: portableProvider(config.provider, providers),
    bundleHash,
    engine,
  };
  return sha256(canonicalJson(content)).slice(0, 16);
}

/** Where the cluster is; not how this client reaches it. */
function portableProvider(name: string, { docker, standalone }: ResolvedConfig['providers']) {
  if (name === 'standalone' && standalone !== null) {
    const hosts = standalone.hosts.map(({ address, advertise, role }) => ({
      address,
      advertise,
      role,
    }));
    return { name, hosts, dir: standalone.dir, supervisor: standalone.supervisor };
  }
  if (name === 'docker') {
    const { baseImage, network, publish, volumes } = docker;
    return { name, baseImage, network, publish, volumes };
  }
  return { name };
}

function portable(application: ResolvedConfig['application'], key: string) {
  if (application === null) return null;
  const { args, secretArgs, entry: _path, ...rest } = application;
  const { masked, secrets } = splitSecrets(args, secretArgs);
  // Without secrets a release has the same name before a cluster, and so its key, is there.
  const hash = secretArgs.length === 0 ? null : keyedHash(key, canonicalJson(secrets));
  return { ...rest, args: masked, secrets: hash };
}
