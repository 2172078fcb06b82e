/** Finds packages with compiled code in a bundle's inputs: such code cannot be shipped in one file. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Helpers by which packages load their compiled part. */
const loaders = [
  'node-gyp-build',
  'bindings',
  'prebuild-install',
  '@mapbox/node-pre-gyp',
  'node-addon-api',
];

/**
 * @param inputs paths of bundled files, relative to `projectDir`.
 * @returns names of packages that have a native module, sorted.
 */
export function findNativePackages(inputs: readonly string[], projectDir: string): string[] {
  const roots = new Map<string, string>();
  for (const input of inputs) {
    const match = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(input);
    if (match) roots.set(resolve(projectDir, match[1]!), match[2]!);
  }
  const native = [...roots].filter(([root]) => hasNativeModule(root)).map(([, name]) => name);
  return [...new Set(native)].sort();
}

function hasNativeModule(root: string): boolean {
  if (existsSync(join(root, 'binding.gyp')) || existsSync(join(root, 'prebuilds'))) return true;
  const text = existsSync(join(root, 'package.json'))
    ? readFileSync(join(root, 'package.json'), 'utf8')
    : '{}';
  const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
  return loaders.some((loader) => loader in dependencies);
}
