/** Layers of the configuration: values with where each came from, merged from weak to strong. */
import type { JsonValue } from '../contract/json.ts';

export type Path = readonly (string | number)[];

/** Where a value came from. */
export interface Origin {
  /** `file fctl.config.yaml:3:10`, `environment production`, `FCTL_CLUSTER`, `--set`, `default` */
  readonly text: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

const defaultOrigin: Origin = { text: 'default', file: null, line: null, column: null };

/** A tree of values, as it came. */
export type Tree = { [key: string]: JsonValue };

export interface Layer {
  readonly values: Tree;
  /** Of the value at a path, or of what it is in. */
  readonly originOf: (path: Path) => Origin;
}

/** JSON pointer. */
export const pointer = (path: Path): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const isTree = (value: unknown): value is Tree =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

export interface Merged {
  readonly values: Tree;
  readonly originOf: (path: Path) => Origin;
}

/** Objects are merged key by key; anything else, lists too, replaces what was there. */
export function mergeLayers(layers: readonly Layer[]): Merged {
  const values: Tree = {};
  const owners = new Map<string, Layer>();
  const put = (target: Tree, source: Tree, path: Path, layer: Layer): void => {
    for (const [key, value] of Object.entries(source)) {
      const at = [...path, key];
      owners.set(pointer(at), layer);
      if (isTree(value)) {
        const inner = isTree(target[key]) ? target[key] : {};
        Object.defineProperty(target, key, {
          value: inner,
          enumerable: true,
          writable: true,
          configurable: true,
        });
        put(inner, value, at, layer);
      } else
        Object.defineProperty(target, key, {
          value,
          enumerable: true,
          writable: true,
          configurable: true,
        });
    }
  };
  for (const layer of layers) put(values, layer.values, [], layer);
  const originOf = (path: Path): Origin => {
    for (let length = path.length; length > 0; length--) {
      const owner = owners.get(pointer(path.slice(0, length)));
      if (owner) return owner.originOf(path);
    }
    return path.length === 0 ? (layers[0]?.originOf([]) ?? defaultOrigin) : defaultOrigin;
  };
  return { values, originOf };
}

/** A layer all of whose values came from one place. */
export function simpleLayer(values: Tree, text: string): Layer {
  const origin: Origin = { text, file: null, line: null, column: null };
  return { values, originOf: () => origin };
}
