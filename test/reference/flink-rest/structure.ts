/**
 * The structure that a set of JSON documents has in common, and how another one differs from it: keys that
 * are missing or unknown, values of another type, words that are not among those known.
 */

export interface Structure {
  readonly types: Set<string>;
  /** Of objects: the structure of each key, and whether every object had it. */
  readonly keys: Map<string, { readonly structure: Structure; readonly always: boolean }>;
  /** Of arrays; `null`: all were empty. */
  readonly element: Structure | null;
}

export interface Rules {
  /** Objects whose keys are data: only their values are compared. */
  readonly maps?: readonly string[];
  /** Keys that are allowed though Flink does not have them. */
  readonly additions?: readonly string[];
  /** Values that a text may have, by the last key of its path. */
  readonly words?: Readonly<Record<string, readonly string[]>>;
}

const typeOf = (value: unknown) =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;

type Json = Readonly<Record<string, unknown>>;

export function structureOf(documents: readonly unknown[]): Structure {
  const objects = documents.filter((d): d is Json => typeOf(d) === 'object');
  const arrays = documents.filter((d): d is unknown[] => Array.isArray(d));
  const names = new Set(objects.flatMap((object) => Object.keys(object)));
  const elements = arrays.flat();
  return {
    types: new Set(documents.map(typeOf)),
    keys: new Map(
      [...names].map((name) => {
        const having = objects.filter((object) => Object.hasOwn(object, name));
        return [
          name,
          {
            structure: structureOf(having.map((object) => object[name])),
            always: having.length === objects.length,
          },
        ];
      }),
    ),
    element: elements.length === 0 ? null : structureOf(elements),
  };
}

/** Differences as text, each with its path; empty when there are none. */
export function differences(
  value: unknown,
  expected: Structure,
  rules: Rules = {},
  path = '',
): string[] {
  const type = typeOf(value);
  if (!expected.types.has(type)) {
    return [`${path || '/'} is ${type}, not ${[...expected.types].join(' or ')}`];
  }
  if (Array.isArray(value)) {
    const { element } = expected;
    return element === null
      ? []
      : value.flatMap((item) => differences(item, element, rules, `${path}[]`));
  }
  if (type === 'object') return keyDifferences(value as Json, expected, rules, path);
  const words = rules.words?.[path.split('/').at(-1)!];
  return words && typeof value === 'string' && !words.includes(value)
    ? [`${path} is '${value}', which is none of ${words.join(', ')}`]
    : [];
}

function keyDifferences(value: Json, expected: Structure, rules: Rules, path: string): string[] {
  const { additions = [], maps = [] } = rules;
  if (maps.includes(path)) {
    const allowed = new Set(
      [...expected.keys.values()].flatMap(({ structure }) => [...structure.types]),
    );
    return Object.entries(value)
      .filter(([, inner]) => allowed.size > 0 && !allowed.has(typeOf(inner)))
      .map(
        ([key, inner]) => `${path}/${key} is ${typeOf(inner)}, not ${[...allowed].join(' or ')}`,
      );
  }
  const missing = [...expected.keys]
    .filter(([key, { always }]) => always && !Object.hasOwn(value, key))
    .map(([key]) => `${path}/${key} is missing`);
  const others = Object.entries(value).flatMap(([key, inner]) => {
    const at = `${path}/${key}`;
    const known = expected.keys.get(key);
    if (known) return differences(inner, known.structure, rules, at);
    return additions.includes(at) ? [] : [`${at} is unknown to Flink`];
  });
  return [...missing, ...others];
}
