/**
 * What `import.meta` says in the modules of a bundle: esbuild makes one file of many, so that each module has
 * to be told its own place.
 */
import { readFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildOptions, Loader, Plugin } from 'esbuild';

const names = {
  'import.meta.url': 'fctlModuleUrl',
  'import.meta.filename': 'fctlModuleFilename',
  'import.meta.dirname': 'fctlModuleDirname',
};

/**
 * Options for a build in which every module has a place of its own.
 * @param placeOf the absolute path that a module is to believe it has.
 */
export function placesInModules(
  placeOf: (path: string) => string,
): Required<Pick<BuildOptions, 'define' | 'plugins'>> {
  const plugin: Plugin = {
    name: 'places-in-modules',
    setup: (build) => {
      build.onLoad({ filter: /\.m?[jt]sx?$/, namespace: 'file' }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        if (!source.includes('import.meta')) return null;
        const place = placeOf(path);
        const values = [pathToFileURL(place).href, place, dirname(place)];
        const constants = Object.values(names).map(
          (name, index) => `${name} = ${JSON.stringify(values[index])}`,
        );
        // On the first line, so that errors keep theirs. What runs a script by itself is no part of it.
        const rest = source.startsWith('#!') ? `//${source}` : source;
        const contents = `const ${constants.join(', ')};${rest}`;
        return { contents, loader: extname(path).replace(/^\.m?/, '') as Loader };
      });
    },
  };
  return { define: names, plugins: [plugin] };
}
