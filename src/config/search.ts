/** The search of cosmiconfig, which takes as long to load as all else that `fctl list` does. */
import { basename } from 'node:path';
import { cosmiconfig } from 'cosmiconfig';

/** A package.json counts only when it has our key. */
function load(file: string, text: string): unknown {
  if (basename(file) !== 'package.json') return { file, text };
  try {
    const content = JSON.parse(text) as { fctl?: unknown };
    return content.fctl === undefined ? {} : { fctl: { file, text } };
  } catch {
    return {};
  }
}

/** @returns what cosmiconfig found in a folder, or in those above up to the project's root. */
export async function search(cwd: string, searchPlaces: readonly string[]) {
  const loaders = Object.fromEntries(
    ['noExt', '.ts', '.js', '.mjs', '.yaml', '.yml', '.json'].map((ending) => [ending, load]),
  );
  const explorer = cosmiconfig('fctl', {
    searchPlaces: [...searchPlaces],
    searchStrategy: 'project',
    loaders,
    // An empty file is somebody's config, and one in a folder above is not meant.
    ignoreEmptySearchPlaces: false,
  });
  return explorer.search(cwd);
}
