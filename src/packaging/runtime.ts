/** What processes of a cluster run with on machines of a platform, in one call. */
import type { DownloadOptions } from './download-node.ts';
import { type RuntimeArchive, buildRuntimeArchive } from './runtime-archive.ts';
import { type TargetPlatform, checkPlatform, fetchNode } from './target-node.ts';

export interface RuntimeOptions extends DownloadOptions {
  /** The config's `runtime.node`, absolute; `null`: the pinned Node.js. */
  readonly node: string | null;
  /** fctl's own `dist/`. */
  readonly runtimeDir: string;
  /** fctl's own `templates/`. */
  readonly templatesDir: string;
}

/** @throws what `fetchNode`, `checkPlatform` and `buildRuntimeArchive` throw: ProviderError. */
export async function runtimeFor(
  target: TargetPlatform,
  options: RuntimeOptions,
): Promise<RuntimeArchive> {
  const { node, runtimeDir, templatesDir, cacheDir, signal } = options;
  if (node !== null) await checkPlatform(node, target);
  const { file } = node === null ? await fetchNode(target, options) : { file: node };
  return buildRuntimeArchive({ node: { file }, runtimeDir, templatesDir, cacheDir, signal });
}
