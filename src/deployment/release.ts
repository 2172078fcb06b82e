/** What a release is made of: resolved config, application, engine version; never paths of the client. */
import type { ResolvedConfig } from '../config/resolved.ts';
import { canonicalJson, sha256 } from '../contract/hash.ts';

/**
 * Hash that names a release; equal for equal releases on any client. Secrets do not count: the cluster's
 * token belongs to the cluster, not to a release.
 */
export function releaseHash(
  config: ResolvedConfig,
  bundleHash: string | null,
  engine: string,
): string {
  const { projectDir: _folder, application, ...rest } = config;
  const portable = application === null ? null : { ...application, entry: null };
  const content = { ...rest, application: portable, bundleHash, engine };
  return sha256(canonicalJson(content)).slice(0, 16);
}
