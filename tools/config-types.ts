/**
 * `src/config/fctl-config.ts`: the type of a config file, made from the schema. A type that TypeScript
 * infers from the schema would need zod wherever `fctl/config` is used, and fctl does not depend on it.
 */
import { type SchemaNode as KnownNode, rootNode } from '../src/config/json-schema.ts';

interface Node extends Omit<KnownNode, 'properties' | 'additionalProperties' | 'items'> {
  readonly $ref?: string;
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: false | Node;
}

/** The file as TypeScript, formatted. */
export function configTypes(): string {
  const interfaces = new Interfaces();
  interfaces.nameOf(rootNode as Node, []);
  return `/** The configuration as users write it. Generated from the schema (\`npm run docs\`). */
import type { JsonObject${interfaces.usesJsonValue ? ', JsonValue' : ''} } from '../contract/json.ts';

/** JSON, or a bigint, which becomes the text of its digits. */
type ArgumentValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly ArgumentValue[]
  | ArgumentsObject;

type ArgumentsObject = { readonly [name: string]: ArgumentValue };

${interfaces.texts.join('\n\n')}
`;
}

/** One for every object with keys; equal ones are one. */
class Interfaces {
  readonly texts: string[] = [];
  usesJsonValue = false;
  readonly #names = new Map<string, string>();

  nameOf(node: Node, path: readonly string[]): string {
    const { description: _said, ...shape } = node;
    const known = this.#names.get(JSON.stringify(shape));
    if (known !== undefined) return known;
    const name = this.#freeName(path);
    this.#names.set(JSON.stringify(shape), name);
    const keys = Object.entries(node.properties ?? {}).map(([key, inner]) => {
      const isRequired = node.required?.includes(key) ?? false;
      const type = this.#typeOf(inner, [...path, key]);
      const line = isRequired ? `${key}: ${type};` : `${key}?: ${type} | undefined;`;
      return inner.description === undefined
        ? [`  ${line}`]
        : [`  /** ${inner.description.replaceAll('*/', '*\\/')} */`, `  ${line}`];
    });
    if (node.additionalProperties) keys.push(['  [option: string]: unknown;']);
    const isPublic = path.length === 0;
    const open = `${isPublic ? 'export ' : ''}interface ${name} {`;
    this.texts.push([open, ...keys.flat(), '}'].join('\n'));
    return name;
  }

  #typeOf(node: Node, path: readonly string[]): string {
    if (node.anyOf !== undefined) {
      return node.anyOf.map((inner) => this.#typeOf(inner, path)).join(' | ');
    }
    if (node.enum !== undefined) return node.enum.map((value) => `'${value}'`).join(' | ');
    if (node.properties !== undefined) return this.nameOf(node, path);
    switch (node.type) {
      case 'object':
        return this.#recordOf(node, path);
      case 'array': {
        const item = this.#typeOf(node.items!, [...path.slice(0, -1), singular(path.at(-1)!)]);
        return item.includes(' | ') ? `(${item})[]` : `${item}[]`;
      }
      case 'integer':
        return 'number';
      case 'string':
      case 'number':
      case 'boolean':
        return node.type;
      default:
        this.usesJsonValue = true;
        return 'JsonValue';
    }
  }

  #recordOf({ additionalProperties }: Node, path: readonly string[]): string {
    if (!additionalProperties) return 'JsonObject';
    if (additionalProperties.$ref !== undefined)
      return path.at(-1) === 'args' ? 'ArgumentsObject' : 'JsonObject';
    const inner = this.#typeOf(additionalProperties, [singular(path.at(-1)!)]);
    return `Record<string, ${inner}>`;
  }

  #freeName(path: readonly string[]): string {
    const words = path.map((key) => key[0]!.toUpperCase() + key.slice(1));
    return `${words.join('') || 'Fctl'}Config`;
  }
}

const singular = (name: string) => name.replace(/s$/, '');
