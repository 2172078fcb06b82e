/** The JSON Schema of the configuration, for editors, and what is looked up in it. */
import type { JsonObject } from '../contract/json.ts';
import { jsonSchema } from './schema.ts';

/** One node of the JSON Schema, as far as it is used here. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
}

export function configJsonSchema(): JsonObject {
  return jsonSchema() as unknown as JsonObject;
}

export const rootNode = (): SchemaNode => jsonSchema() as SchemaNode;
