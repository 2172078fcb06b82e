/** Finds the config file, by cosmiconfig: in a folder, then in those above up to the project's root. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

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

/** @returns `null` when there is none. */
export async function findConfigFile(cwd: string): Promise<ConfigFile | null> {
  if (!mayBeFound(cwd)) return null;
  const { search } = await import('./search.ts');
  const found = await search(cwd, searchPlaces);
  if (found?.isEmpty !== true) return found === null ? null : (found.config as ConfigFile);
  return basename(found.filepath) === 'package.json' ? null : { file: found.filepath, text: '' };
}

/** Whether a folder, or one above, has a file that might be a config: most calls happen where there is none. */
function mayBeFound(folder: string): boolean {
  const above = dirname(folder);
  return (
    searchPlaces.some((name) => existsSync(join(folder, name))) ||
    (above !== folder && mayBeFound(above))
  );
}

/** @throws what reading the file throws. */
export async function readConfigFile(cwd: string, path: string): Promise<ConfigFile> {
  const file = resolve(cwd, path);
  return { file, text: await readFile(file, 'utf8') };
}
