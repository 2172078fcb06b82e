/**
 * The name of a cluster for its whole life, valid on every provider: `[a-z][a-z0-9-]{0,38}[a-z0-9]`.
 *
 * An id becomes a part of paths, of names of volumes and of labels, and `destroy` removes what has that
 * name. So nothing is a `ClusterId` that was not parsed: `''`, `.`, `..` and `a/b` would name folders
 * of other clusters, or the one that holds them all.
 */
import { UsageError, problem } from './errors.ts';

declare const parsed: unique symbol;

/** Made by `parseClusterId` and `isClusterId` alone. */
export type ClusterId = string & { readonly [parsed]: 'ClusterId' };

/** How many characters an id has at most. */
export const maxClusterIdLength = 40;

export const clusterIdPattern = /^[a-z][a-z0-9-]{0,38}[a-z0-9]$/;

/** Of a name that a platform holds: one that no cluster can have is not the name of a cluster. */
export function isClusterId(text: string | undefined): text is ClusterId {
  return text !== undefined && clusterIdPattern.test(text);
}

/** What an id must be, in words. */
export const clusterIdRule =
  'must be 2 to 40 of a-z, 0-9 and -, begin with a letter and not end with -';

/** @throws UsageError when no cluster can have that id. */
export function parseClusterId(text: string): ClusterId {
  if (isClusterId(text)) return text;
  const isEmpty = text.trim() === '';
  const given = isEmpty ? 'the id of the cluster is empty' : `${quote(text)} is no id of a cluster`;
  throw new UsageError(
    problem({
      code: 'invalid-cluster-id',
      message: `${given}: it ${clusterIdRule}`,
      hint: isEmpty
        ? "a variable of the shell that is not set leaves nothing; 'fctl list' shows all clusters"
        : "'fctl list' shows all clusters",
    }),
  );
}

const shownLength = 60;

/** An id that is none may be anything, also line breaks and a whole file. */
function quote(text: string): string {
  const shown = text.length > shownLength ? `${text.slice(0, shownLength)}…` : text;
  return `'${JSON.stringify(shown).slice(1, -1).replaceAll('\\"', '"')}'`;
}
