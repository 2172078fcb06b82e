/** A config file as a layer: YAML and JSON with the position of every value, TypeScript and JavaScript. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Message } from 'esbuild';
import { type Document, LineCounter, type Node, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { ConfigError, problem } from '../contract/errors.ts';
import type { ConfigFile } from './find.ts';
import { type Layer, type Origin, type Path, type Tree, pointer } from './layer.ts';

/** @throws ConfigError with every syntax error and its position. */
export async function fileLayer(found: ConfigFile): Promise<Layer> {
  const script = ['.ts', '.js', '.mjs'].includes(extname(found.file));
  return script ? scriptLayer(found) : textLayer(found);
}

function textLayer({ file, text }: ConfigFile): Layer {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        const message = error.message.split(' at line')[0]!;
        return problem({ code: 'syntax', message, file, line, column: col });
      }),
    );
  }
  const root: Path = basename(file) === 'package.json' ? ['fctl'] : [];
  const values: unknown = root.length > 0 ? (document.toJS() as Tree)['fctl'] : document.toJS();
  if (values !== null && (typeof values !== 'object' || Array.isArray(values))) {
    throw new ConfigError(
      problem({
        code: 'syntax',
        message: 'a configuration is an object',
        file,
        line: 1,
        column: 1,
      }),
    );
  }
  const positions = positionsOf(document, lines);
  return {
    values: (values ?? {}) as Tree,
    originOf: (path) => locate(file, positions, [...root, ...path]),
  };
}

type Positions = ReadonlyMap<string, { readonly line: number; readonly column: number }>;

/** Of every key's value; of the key itself where the value is an object or a list. */
function positionsOf(document: Document, lines: LineCounter): Positions {
  const positions = new Map<string, { line: number; column: number }>();
  const mark = (path: Path, node: Node | null) => {
    if (!node?.range) return;
    const { line, col } = lines.linePos(node.range[0]);
    positions.set(pointer(path), { line, column: col });
  };
  const visit = (node: unknown, path: Path): void => {
    if (isMap(node)) {
      for (const pair of node.items) {
        const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
        const at = [...path, key];
        mark(at, (isScalar(pair.value) ? pair.value : pair.key) as Node);
        // Where an unknown key is reported.
        mark([...at, '#key'], pair.key as Node);
        visit(pair.value, at);
      }
    } else if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) {
        mark([...path, index], item as Node);
        visit(item, [...path, index]);
      }
    }
  };
  visit(document.contents, []);
  return positions;
}

function locate(file: string, positions: Positions, path: Path): Origin {
  for (let length = path.length; length > 0; length--) {
    const found = positions.get(pointer(path.slice(0, length)));
    if (found) {
      return { text: `file ${basename(file)}:${found.line}:${found.column}`, file, ...found };
    }
  }
  return { text: `file ${basename(file)}`, file, line: null, column: null };
}

/** Bundled by esbuild: cosmiconfig's own loader for TypeScript needs an API that TypeScript 7 lacks. */
async function scriptLayer({ file }: ConfigFile): Promise<Layer> {
  const { build } = await import('esbuild');
  const folder = await mkdtemp(join(dirname(file), '.fctl-config-'));
  try {
    const result = await build({
      entryPoints: [file],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      // What a config file needs of `fctl/config` is one function that returns its argument.
      plugins: [
        {
          name: 'fctl-config',
          setup: (setup) => {
            setup.onResolve({ filter: /^fctl\/config$/ }, () => ({
              path: 'config',
              namespace: 'fctl',
            }));
            setup.onLoad({ filter: /.*/, namespace: 'fctl' }, () => ({
              contents: 'export const defineConfig = (config) => config;',
            }));
          },
        },
      ],
      logLevel: 'silent',
    });
    const script = join(folder, 'config.mjs');
    await writeFile(script, result.outputFiles[0]!.contents);
    const { default: values } = (await import(pathToFileURL(script).href)) as { default?: unknown };
    if (values === null || typeof values !== 'object') {
      throw new Error('its default export is not an object: export default defineConfig({ … })');
    }
    const plain = JSON.parse(JSON.stringify(values)) as Tree;
    const origin: Origin = { text: `file ${basename(file)}`, file, line: null, column: null };
    return { values: plain, originOf: () => origin };
  } catch (error) {
    throw scriptError(file, error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function scriptError(file: string, error: unknown): ConfigError {
  const messages = (error as { errors?: Message[] }).errors;
  if (!Array.isArray(messages)) {
    const message = `the config file cannot be evaluated: ${(error as Error).message}`;
    return new ConfigError(problem({ code: 'config-failed', message, file }), { cause: error });
  }
  return new ConfigError(
    messages.map(({ text, location }) =>
      problem({
        code: 'syntax',
        message: text,
        file,
        line: location?.line ?? null,
        column: location ? location.column + 1 : null,
      }),
    ),
  );
}
