/** Layers that are made of strings: `--set a.b=c` and environment variables. */
import { parse } from 'yaml';
import { type Problem, problem } from '../contract/errors.ts';
import type { JsonValue } from '../contract/json.ts';
import { ProcessEnvironment } from '../contract/environment.ts';
import { rootNode } from './json-schema.ts';
import { type Layer, type Tree, mergeLayers, simpleLayer } from './layer.ts';

function nest(path: readonly string[], value: JsonValue): Tree {
  const [first, ...rest] = path;
  return { [first!]: rest.length === 0 ? value : nest(rest, value) };
}

/** YAML's scalars and flow: `3`, `true`, `[a, b]`, text. */
function parseValue(text: string): JsonValue {
  try {
    const value = parse(text) as JsonValue | undefined;
    return value === undefined ? text : value;
  } catch {
    return text;
  }
}

/** `a.b=c`; later ones win. Whatever is not of this form is a problem. */
export function setLayer(set: readonly string[], problems: Problem[]): Layer {
  const layers = set.flatMap((entry) => {
    const at = entry.indexOf('=');
    const path = entry.slice(0, at).split('.');
    if (at <= 0 || path.includes('')) {
      problems.push(
        problem({
          code: 'set-malformed',
          message: `--set ${entry} is not of the form key=value`,
          hint: 'for example --set taskmanager.slots=2',
        }),
      );
      return [];
    }
    return [simpleLayer(nest(path, parseValue(entry.slice(at + 1))), `--set ${path.join('.')}`)];
  });
  return mergeLayers(layers);
}

const reserved: ReadonlySet<string> = new Set(Object.values(ProcessEnvironment));
const normalize = (name: string) => name.replaceAll('_', '').toLowerCase();

/**
 * `FCTL_TASKMANAGER__SLOTS=2`: two underscores go a level down; case and single underscores do not matter.
 * A variable counts when it has two underscores or names a top-level key.
 */
export function environmentLayer(env: Readonly<Record<string, string | undefined>>): Layer {
  const root = rootNode();
  const layers = Object.entries(env).flatMap(([name, text]) => {
    if (!name.startsWith('FCTL_') || text === undefined || reserved.has(name)) return [];
    const segments = name.slice('FCTL_'.length).split('__');
    const isTopLevel = Object.keys(root.properties ?? {}).some(
      (key) => normalize(key) === normalize(segments[0]!),
    );
    if (segments.length === 1 && !isTopLevel) return [];
    let node = root;
    const path = segments.map((segment) => {
      const key = Object.keys(node.properties ?? {}).find(
        (known) => normalize(known) === normalize(segment),
      );
      node = (key === undefined ? undefined : node.properties?.[key]) ?? {};
      return key ?? segment.toLowerCase();
    });
    return [simpleLayer(nest(path, parseValue(text)), name)];
  });
  return mergeLayers(layers);
}
