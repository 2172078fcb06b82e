/**
 * Evaluates an application bundle. What it imports as `fctl` or `fctl/*` resolves to the runtime's own
 * modules, wherever the bundle lies: one copy of the classes, no version skew, nothing to install.
 */
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type JobRegistry, collectJobs } from '../api/job.ts';

export interface LoadedBundle {
  readonly exports: object;
  readonly registry: JobRegistry;
}

interface Module {
  readonly source: string;
  readonly built: string;
}

const connectors = ['collect', 'collection', 'discard', 'files', 'generator', 'print'];

/** Modules that an application may import, and where they lie as source and below `dist/`. */
const modules: Readonly<Record<string, Module>> = {
  fctl: { source: '../api/index.ts', built: 'index.js' },
  'fctl/config': { source: '../config/index.ts', built: 'config.js' },
  'fctl/testing': { source: '../testing/index.ts', built: 'testing.js' },
  ...Object.fromEntries(
    connectors.map((name): [string, Module] => [
      `fctl/connectors/${name}`,
      { source: `../connectors/${name}/index.ts`, built: `connectors/${name}.js` },
    ]),
  ),
};

let hooked = false;
/** See `provideModules`. */
let provider: string | null = null;

/**
 * From now on a module gives bundles what they import as `fctl` and `fctl/connectors/*`, so that a thread
 * that is one file loads no second copy of the classes. It exports all of it under the same names.
 */
export function provideModules(url: string): void {
  provider = url;
}

/**
 * Imports the bundle and returns its exports and the jobs that it defined.
 * @param file absolute path.
 * @throws what evaluating the bundle throws; Error when it imports an unknown `fctl/…` module.
 */
export async function loadBundle(file: string): Promise<LoadedBundle> {
  if (!hooked) {
    hooked = true;
    registerHooks({
      resolve: (specifier, context, next) =>
        specifier === 'fctl' || specifier.startsWith('fctl/')
          ? { url: locate(specifier), shortCircuit: true }
          : next(specifier, context),
    });
  }
  const url = pathToFileURL(file).href;
  return collectJobs(async () => (await import(/* @vite-ignore */ url)) as object);
}

/** This module runs as source, from an entry point in `dist/`, or from a chunk one folder below. */
function locate(specifier: string): string {
  const module = modules[specifier];
  if (module === undefined) {
    throw new Error(
      `the application imports '${specifier}', which this version of fctl does not have`,
    );
  }
  const isProvided = specifier === 'fctl' || specifier.startsWith('fctl/connectors/');
  if (provider !== null && isProvided) return provider;
  const here = import.meta.url;
  if (here.endsWith('.ts')) return new URL(module.source, here).href;
  const candidates = [`./${module.built}`, `../${module.built}`].map((path) => new URL(path, here));
  const found = candidates.find((candidate) => existsSync(fileURLToPath(candidate)));
  if (found === undefined) throw new Error(`the runtime is incomplete: ${module.built} is missing`);
  return found.href;
}
