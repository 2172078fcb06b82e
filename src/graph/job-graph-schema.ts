/** JSON Schema (2020-12) of the JobGraph: for other tools that read what `fctl compile --format json` prints. */
import { JOB_GRAPH_VERSION, Partitioner } from './job-graph.ts';
import { limits } from './validate.ts';

const object = (
  properties: Readonly<Record<string, object>>,
  optional: readonly string[] = [],
) => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});

const ref = (name: string) => ({ $ref: `#/$defs/${name}` });
const orNull = (schema: object) => ({ anyOf: [schema, { type: 'null' }] });
const id = { type: 'string', pattern: '^[0-9a-f]{32}$' };
const sha256 = { type: 'string', pattern: '^[0-9a-f]{64}$' };
const name = { type: 'string', minLength: 1 };
const parallelism = { type: 'integer', minimum: 1, maximum: limits.parallelism };

const type = {
  description: 'Type of an element, as `types` makes it.',
  oneOf: [
    object({
      kind: {
        enum: [
          'string',
          'int32',
          'long',
          'int64',
          'double',
          'boolean',
          'timestamp',
          'bytes',
          'primitive',
        ],
      },
    }),
    object({
      kind: { const: 'record' },
      fields: {
        type: 'object',
        propertyNames: { not: { const: '__proto__' } },
        additionalProperties: ref('type'),
      },
    }),
    object({ kind: { const: 'list' }, element: ref('type') }),
    object({ kind: { const: 'map' }, value: ref('type') }),
    object({ kind: { const: 'optional' }, type: ref('type') }),
    object({
      kind: { const: 'union' },
      types: { type: 'array', items: ref('type'), minItems: 1, maxItems: 256 },
    }),
  ],
};

const madeByKind = object({ kind: name, options: { type: 'object' } });

const operator = object({
  id: ref('id'),
  uid: orNull(name),
  name,
  kind: name,
  inputs: {
    type: 'array',
    items: ref('id'),
    description: 'The operators before it in the same chain.',
  },
  outputType: orNull(ref('type')),
  stateful: {
    type: 'boolean',
    description: 'Whether it remembers anything of earlier records.',
  },
  enumerator: orNull({ ...madeByKind, description: 'Of a source: what hands out its splits.' }),
  committer: orNull({ ...madeByKind, description: 'Of a sink: what publishes its results.' }),
});

const vertex = object({
  id: { ...ref('id'), description: 'The id of its first operator.' },
  name,
  parallelism,
  maxParallelism: { ...parallelism, description: 'The number of key groups.' },
  slotSharingGroup: name,
  operators: { type: 'array', items: operator, minItems: 1, maxItems: limits.operators },
});

const edge = object({
  id: name,
  sourceVertex: ref('id'),
  sourceOperator: ref('id'),
  targetVertex: ref('id'),
  targetOperator: ref('id'),
  input: { type: 'integer', minimum: 0, description: 'Which input of the target operator.' },
  partitioner: { enum: Object.values(Partitioner) },
  type: { ...orNull(ref('type')), description: 'Of the records; null: any, by msgpack.' },
  keyType: {
    ...orNull(ref('type')),
    description: 'Not null exactly where the partitioner is HASH.',
  },
});

export const jobGraphSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'JobGraph of fctl',
  ...object(
    {
      version: { const: JOB_GRAPH_VERSION },
      name,
      boundedness: { enum: ['bounded', 'unbounded'] },
      code: {
        ...object({ bundleHash: sha256, job: name, args: { type: 'object' }, parallelism }),
        description: 'Which code makes this graph again.',
      },
      cachedFiles: {
        type: 'object',
        propertyNames: { minLength: 1 },
        additionalProperties: object({ hash: sha256, sizeBytes: { type: 'integer', minimum: 0 } }),
        description: 'Files that tasks find on their machines, by name.',
      },
      vertices: {
        type: 'array',
        items: vertex,
        minItems: 1,
        maxItems: limits.vertices,
        description: 'In topological order.',
      },
      edges: { type: 'array', items: edge, maxItems: limits.edges },
      hash: {
        ...sha256,
        description: 'Over everything but parallelism, bundleHash and the content of cached files.',
      },
    },
    ['cachedFiles'],
  ),
  $defs: { id, type },
} as const;
