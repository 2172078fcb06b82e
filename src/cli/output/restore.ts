/** What jobs go on from, for people. */
import type { RestoreEntry } from '../../contract/restore.ts';

/** `'counts' from savepoint /state/savepoints/release-2-3fa9` */
export function describeRestore({ directory, kind, name, path }: RestoreEntry): string {
  const from =
    path === null ? `a ${kind} that is taken first, into ${directory}` : `${kind} ${path}`;
  return `'${name}' from ${from}`;
}
