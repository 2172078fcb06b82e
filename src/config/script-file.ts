/**
 * TypeScript and JavaScript as a layer, bundled by esbuild: cosmiconfig's own loader for TypeScript needs an
 * API that TypeScript 7 lacks. The bundle is imported from memory; nothing is written beside the config.
 */
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Message, Plugin } from 'esbuild';
import { isArgument } from './argument-texts.ts';
import { type Problem, problem } from '../contract/errors.ts';
import { isUnsafeWhole } from '../contract/exact-json.ts';
import type { JsonValue } from '../contract/json.ts';
import { placesInModules } from './module-place.ts';
import {
  type FileLayer,
  type Origin,
  type Path,
  type Tree,
  isTree,
  originNamed,
  pointer,
} from './layer.ts';

/** Runs the config file. The default export is the configuration. */
export async function scriptLayer(file: string): Promise<FileLayer> {
  const problems: Problem[] = [];
  try {
    const exported = await evaluate(file);
    if (!isTree(exported)) {
      throw new Error('its default export is not an object: export default defineConfig({ … })');
    }
    const values = plain(exported, [], (path, what, hint) => {
      const message = `${what} cannot be part of a configuration`;
      problems.push(
        problem({ code: 'invalid-value', message, path: pointer(path), file, hint: hint ?? null }),
      );
    }) as Tree;
    const origin: Origin = { ...originNamed(`file ${basename(file)}`), file };
    return { layer: { values, locate: () => origin }, problems };
  } catch (error) {
    return { layer: null, problems: [...problems, ...explain(file, error)] };
  }
}

async function evaluate(file: string): Promise<unknown> {
  const { build } = await import('esbuild');
  const places = placesInModules((path) => path); // as if it ran where it is
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    define: places.define,
    banner: { js: requireFrom(file) },
    plugins: [publicEntry, packagesInPlace, ...places.plugins],
    logLevel: 'silent',
  });
  const code = Buffer.from(outputFiles[0]!.contents).toString('base64');
  // The fragment makes each evaluation one of its own.
  const url = `data:text/javascript;base64,${code}#${performance.now()}`;
  const { default: values } = (await import(url)) as { default?: unknown };
  return values;
}

/** CommonJS ends up in a module too, where there is no `require`. */
const requireFrom = (file: string) =>
  `import { createRequire } from 'node:module'; const require = createRequire(${JSON.stringify(file)});`;

/** What a config file needs of `fctl/config` is one function that returns its argument. */
const publicEntry: Plugin = {
  name: 'fctl-config',
  setup: (build) => {
    build.onResolve({ filter: /^fctl\/config$/ }, () => ({ path: 'config', namespace: 'fctl' }));
    build.onLoad({ filter: /.*/, namespace: 'fctl' }, () => ({
      contents: 'export const defineConfig = (config) => config;',
    }));
  },
};

const resolving = Symbol('resolving');

/** Packages are imported from where they are installed, not bundled. */
const packagesInPlace: Plugin = {
  name: 'packages-in-place',
  setup: (build) => {
    build.onResolve({ filter: /^[^./]/ }, async ({ path: name, pluginData, ...from }) => {
      if (pluginData === resolving || from.kind === 'entry-point') return null;
      const { importer, kind, namespace, resolveDir } = from;
      const options = { importer, kind, namespace, resolveDir, pluginData: resolving };
      const found = await build.resolve(name, options);
      if (found.errors.length > 0 || found.external) return found;
      if (!found.path.includes('node_modules')) return found;
      const path = from.kind === 'require-call' ? found.path : pathToFileURL(found.path).href;
      return { path, external: true };
    });
  },
};

type Refuse = (path: Path, what: string, hint?: string) => void;

/**
 * A copy that is nothing but JSON; a bigint among the arguments is the text of its digits, which a job's declaration
 * makes a bigint again. What is `undefined` counts as not there, and so does what was refused.
 */
function plain(
  value: unknown,
  path: Path,
  refuse: Refuse,
  outer: readonly unknown[] = [],
): JsonValue | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && isUnsafeWhole(value)) {
    refuse(path, `the number ${value}, which may have lost digits above 2^53,`, howToWrite);
    return undefined;
  }
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'bigint' && isArgument(path)) return String(value);
  if (outer.includes(value)) {
    refuse(path, 'an object that contains itself');
    return undefined;
  }
  const inside = [...outer, value];
  if (Array.isArray(value)) {
    return value.map(
      (item: unknown, index) => plain(item, [...path, index], refuse, inside) ?? null,
    );
  }
  if (isTree(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    const entries = Object.entries(value as Record<string, unknown>)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, plain(item, [...path, key], refuse, inside)] as const);
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined)) as Tree;
  }
  refuse(path, describe(value));
  return undefined;
}

const howToWrite = "write it as text ('…'), or in application.args as a bigint (123n)";

function describe(value: unknown): string {
  if (value === undefined) return 'undefined in a list';
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  return `an instance of ${value.constructor.name}`;
}

const isMessage = (message: Partial<Message> | null): message is Message =>
  typeof message?.text === 'string';

function explain(file: string, error: unknown): Problem[] {
  // Whatever a script throws: `null`, or an AggregateError, which has `errors` of another kind.
  const { errors } = (error ?? {}) as { errors?: unknown };
  const messages = Array.isArray(errors) ? (errors as Partial<Message>[]) : [];
  if (messages.length === 0 || !messages.every(isMessage)) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `the config file cannot be evaluated: ${reason}`;
    return [problem({ code: 'config-failed', message, file })];
  }
  return messages.map(({ text, location }) =>
    problem({
      code: 'syntax',
      message: text,
      file,
      line: location?.line ?? null,
      column: location ? location.column + 1 : null,
    }),
  );
}
