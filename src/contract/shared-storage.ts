/**
 * Which paths all processes of a cluster see alike, where they do not see the same files anyway. The client
 * and the JobManager judge by the same rules. Pure.
 */
import { posix } from 'node:path';

/** The path that a `file:` address means; what is no address stays as it is. */
function localPath(path: string): string | null {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(path)?.[1]?.toLowerCase();
  if (scheme === undefined) return path;
  return scheme === 'file'
    ? path.slice('file:'.length).replace(/^\/\/(?:localhost)?(?=\/)/, '')
    : null;
}

/**
 * @param path of a file, a folder or a glob, or an address such as `hdfs://…`, which is no local path.
 * @param shared `storage.shared` of the config; of it, the absolute paths count.
 * @returns whether every process finds the same under it. A relative path means another one everywhere.
 */
export function isSharedPath(path: string, shared: readonly string[]): boolean {
  const local = localPath(path);
  if (local === null) return true;
  if (!local.startsWith('/')) return false;
  const wanted = posix.normalize(local);
  return shared
    .filter((root) => root.startsWith('/'))
    .map((root) => posix.normalize(root).replace(/\/+$/, ''))
    .some((root) => wanted === root || wanted.startsWith(`${root}/`));
}

/** Whether a text that may be anything looks like a local path. */
export const looksLocal = (text: string): boolean => /^(?:\.{0,2}\/|file:|\.{1,2}$)/i.test(text);
