/** Layers of the configuration: values with where each came from, merged from weak to strong. */
import type { Problem } from '../contract/errors.ts';
import type { JsonValue } from '../contract/json.ts';

export type Path = readonly (string | number)[];

/** What of a key is meant: its name, or its value. */
export type Part = 'key' | 'value';

/** Where a value came from. */
export interface Origin {
  /** `file fctl.config.yaml:3:10`, `environment production, file …`, `FCTL_CLUSTER`, `--set cluster`, `default` */
  readonly text: string;
  readonly file: string | null;
  /** 1-based. */
  readonly line: number | null;
  /** 1-based. */
  readonly column: number | null;
  /** What the path begins with in the file: `/environments/production` in that overlay. */
  readonly prefix: Path;
}

/** A tree of values, as it came. */
export type Tree = { [key: string]: JsonValue };

export interface Layer {
  readonly values: Tree;
  /** Origin of what is at a path, or of the closest thing around it. */
  readonly locate: (path: Path, part: Part) => Origin;
}

/** What became of a config file. */
export interface FileLayer {
  /** `null` when the file cannot be understood at all. */
  readonly layer: Layer | null;
  readonly problems: readonly Problem[];
}

export interface Merged extends Layer {
  /** Of the value at exactly that path; `default` when no layer has set it. */
  readonly originOf: (path: Path) => Origin;
}

/** An origin that is no place in a file. */
export const originNamed = (text: string): Origin => ({
  text,
  file: null,
  line: null,
  column: null,
  prefix: [],
});

const defaultOrigin: Origin = originNamed('default');

/** JSON pointer. */
export const pointer = (path: Path): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

export const isTree = (value: unknown): value is Tree =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** `undefined` where there is nothing. */
export function valueAt(values: Tree, path: Path): JsonValue | undefined {
  let value: JsonValue | undefined = values;
  for (const part of path) {
    if (!isTree(value) || !Object.hasOwn(value, part)) return undefined;
    value = value[part];
  }
  return value;
}

/** Also for a key named `__proto__`. */
function put(tree: Tree, key: string, value: JsonValue): void {
  Object.defineProperty(tree, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

/** Objects are merged key by key; anything else, lists too, replaces what was there. */
export function mergeLayers(layers: readonly Layer[]): Merged {
  const values: Tree = {};
  const owners = new Map<string, Layer>();
  const lay = (target: Tree, source: Tree, path: Path, layer: Layer): void => {
    for (const [key, value] of Object.entries(source)) {
      const at = [...path, key];
      owners.set(pointer(at), layer);
      if (!isTree(value)) put(target, key, value);
      else {
        const below = Object.hasOwn(target, key) ? target[key] : undefined;
        const inner: Tree = isTree(below) ? below : {};
        put(target, key, inner);
        lay(inner, value, at, layer);
      }
    }
  };
  for (const layer of layers) lay(values, layer.values, [], layer);
  return {
    values,
    originOf: (path) => owners.get(pointer(path))?.locate(path, 'value') ?? defaultOrigin,
    locate: (path, part) => {
      for (let length = path.length; length > 0; length--) {
        const owner = owners.get(pointer(path.slice(0, length)));
        if (owner) return owner.locate(path, part);
      }
      return layers[0]?.locate([], 'value') ?? defaultOrigin;
    },
  };
}

/** A layer all of whose values came from one place. */
export function simpleLayer(values: Tree, text: string): Layer {
  const origin = originNamed(text);
  return { values, locate: () => origin };
}
