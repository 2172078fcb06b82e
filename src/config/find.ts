/** Finds the config file, by cosmiconfig: in a folder, then in those above up to the project's root. */
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { cosmiconfig } from 'cosmiconfig';

const endings = ['ts', 'js', 'mjs', 'yaml', 'yml', 'json'];

/** In the order in which they are looked for. */
export const searchPlaces: readonly string[] = [
  ...endings.map((ending) => `fctl.config.${ending}`),
  '.fctlrc',
  ...['yaml', 'yml', 'json'].map((ending) => `.fctlrc.${ending}`),
  'package.json',
];

export interface ConfigFile {
  readonly file: string;
  readonly text: string;
}

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

/** @returns `null` when there is none. */
export async function findConfigFile(cwd: string): Promise<ConfigFile | null> {
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
  const found = await explorer.search(cwd);
  if (found?.isEmpty !== true) return found === null ? null : (found.config as ConfigFile);
  return basename(found.filepath) === 'package.json' ? null : { file: found.filepath, text: '' };
}

/** @throws what reading the file throws. */
export async function readConfigFile(cwd: string, path: string): Promise<ConfigFile> {
  const file = resolve(cwd, path);
  return { file, text: await readFile(file, 'utf8') };
}
