/** The JSON Schema of the configuration, for editors, and what is looked up in it. */
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { Path } from './layer.ts';
import { configFileSchema } from './schema.ts';

/** One node of the JSON Schema, as far as it is used here. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: JsonValue;
  readonly examples?: readonly string[];
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: false | SchemaNode;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
}

/** JSON Schema (2020-12) of a config file. */
export function configJsonSchema(): JsonObject {
  const schema = z.toJSONSchema(configFileSchema, { io: 'input' }) as unknown as JsonObject;
  const description = 'Blocks for YAML anchors; they have no other meaning.';
  return { ...schema, patternProperties: { '^x-': { description } } };
}

/** Of a config file, with `environments`. */
export const rootNode = configJsonSchema() as SchemaNode;

/**
 * Of a list, also that of its entries without an index: `metrics.reporters.type`.
 * @returns a node that says nothing when the schema has none for the path.
 */
export function nodeAt(path: Path): SchemaNode {
  let node: SchemaNode = rootNode;
  for (const part of path) {
    const entry: SchemaNode = node.items ?? (typeof part === 'number' ? {} : node);
    node =
      typeof part === 'number'
        ? entry
        : (entry.properties?.[part] ?? (entry.additionalProperties || {}));
  }
  return node;
}

export interface Key {
  readonly path: readonly string[];
  readonly node: SchemaNode;
  readonly isRequired: boolean;
}

/** Every key that has a value of its own, in the order of the schema. */
export function keysOf(node: SchemaNode = rootNode, path: readonly string[] = []): Key[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, inner]) =>
    inner.properties
      ? keysOf(inner, [...path, name])
      : [
          {
            path: [...path, name],
            node: inner,
            isRequired: node.required?.includes(name) ?? false,
          },
        ],
  );
}
