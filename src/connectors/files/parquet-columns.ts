/** The columns of a Parquet file that a record type names: what hyparquet is told of them, and their values. */
import { type FileMetaData, type SchemaElement, type SchemaTree, parquetSchema } from 'hyparquet';
import { describeValue } from '../../api/check-value.ts';
import { type TypeShape, describeType } from '../../api/types.ts';
import type { Convert } from './convert.ts';
import { readingOf } from './parquet-leaf.ts';

type Shape<K extends TypeShape['kind']> = Extract<TypeShape, { kind: K }>;

export interface PlannedColumns {
  /** For hyparquet: with annotations taken away where it would spoil values. */
  readonly metadata: FileMetaData;
  /** By the fields of the type. `null`: the file has no such column, and the field may be absent. */
  readonly columns: readonly ({ readonly name: string; readonly convert: Convert } | null)[];
}

/** @throws TypeError for columns that are missing, or that are never of their type. */
export function planColumns(metadata: FileMetaData, type: Shape<'record'>): PlannedColumns {
  const schema = metadata.schema.map((element) => ({ ...element }));
  const changed = { ...metadata, schema };
  const { children } = parquetSchema(changed);
  refuseMissing(children, type);
  const columns = Object.entries(type.fields).map(([name, field]) => {
    const node = children.find(({ element }) => element.name === name);
    return node === undefined ? null : { name, convert: planField(node, field) };
  });
  return { metadata: changed, columns };
}

function refuseMissing(children: readonly SchemaTree[], type: Shape<'record'>): void {
  const known = children.map(({ element }) => element.name);
  const missing = Object.entries(type.fields)
    .filter(([name, field]) => field.kind !== 'optional' && !known.includes(name))
    .map(([name]) => name);
  if (missing.length === 0) return;
  throw new TypeError(`has no column ${missing.join(', ')}; it has ${known.join(', ')}`);
}

function planField(node: SchemaTree, type: TypeShape): Convert {
  try {
    return planNode(node, type);
  } catch (error) {
    const message = (error as Error).message;
    if (!(error instanceof TypeError) || message.startsWith("column '")) throw error;
    throw new TypeError(`column '${node.path.join('.')}' ${message}`, { cause: error });
  }
}

/** Changes the elements of the node, so that hyparquet gives what the converter takes. */
function planNode(node: SchemaTree, type: TypeShape): Convert {
  if (type.kind === 'optional') {
    const convert = planNode(node, type.type);
    return (value) => (value === undefined || value === null ? undefined : convert(value));
  }
  const { element } = node;
  // A list without the two levels that LIST has.
  if (element.repetition_type === 'REPEATED') return listOf(node, type);
  if (node.children.length === 0) {
    const { change, convert } = readingOf(element, type);
    if (change !== null) Object.assign(element, change);
    return convert;
  }
  if (isAnnotated(element, 'LIST')) return planList(node, type);
  if (isMap(element)) return planMap(node, type);
  return planStruct(node, type);
}

const isAnnotated = (
  { converted_type: converted, logical_type: logical }: SchemaElement,
  what: 'LIST' | 'MAP',
) => converted === what || logical?.type === what;

const isMap = (element: SchemaElement) =>
  isAnnotated(element, 'MAP') || element.converted_type === 'MAP_KEY_VALUE';

const refuse = (type: TypeShape, value: unknown): TypeError =>
  new TypeError(`expected ${describeType(type)}, got ${describeValue(value)}`);

function cannot(what: string, type: TypeShape): TypeError {
  return new TypeError(`holds ${what}, which cannot be read as ${describeType(type)}`);
}

/** hyparquet gives the elements of LIST as a list, whatever the levels between are called. */
function planList(node: SchemaTree, type: TypeShape): Convert {
  const wanted = alternative(type, 'list');
  if (wanted === null) throw cannot('lists', type);
  node.element.converted_type = 'LIST';
  const repeated = node.children[0]!;
  // One level is the element itself, when it has several fields or none.
  const element = repeated.children.length === 1 ? repeated.children[0]! : repeated;
  const convert =
    element === repeated
      ? planElement(repeated, wanted.element)
      : planField(element, wanted.element);
  const convertAll = elements(wanted, convert);
  if (repeated.children.length < 2) return convertAll;
  // hyparquet takes such a list for a record with one field.
  const { name } = repeated.element;
  return (value) => convertAll(isObject(value) ? value[name] : value);
}

/** The values of a repeated field, each without the repetition. */
function planElement(node: SchemaTree, type: TypeShape): Convert {
  const single = { ...node, element: { ...node.element, repetition_type: 'REQUIRED' as const } };
  const convert = planField(single, type);
  const { converted_type, logical_type } = single.element;
  Object.assign(node.element, { converted_type, logical_type });
  return convert;
}

function listOf(node: SchemaTree, type: TypeShape): Convert {
  const wanted = alternative(type, 'list');
  if (wanted === null) throw cannot('lists', type);
  return elements(wanted, planElement(node, wanted.element));
}

function elements(type: Shape<'list'>, convert: Convert): Convert {
  return (value) => {
    if (!Array.isArray(value)) throw refuse(type, value);
    return value.map((element) => convert(element));
  };
}

/**
 * Maps come as lists of their entries, once their annotation is gone: hyparquet would make objects of them,
 * whose keys are texts and change their order.
 */
function planMap(node: SchemaTree, type: TypeShape): Convert {
  const wanted = alternative(type, 'map');
  const entries = node.children[0];
  const [key, value] = entries?.children ?? [];
  if (wanted === null || entries === undefined || key === undefined || value === undefined)
    throw cannot('maps', type);
  for (const { element } of [node, entries]) {
    element.converted_type = undefined as never;
    element.logical_type = undefined as never;
  }
  const convertKey = planField(key, { kind: 'string' });
  const convertValue = planField(value, wanted.value);
  const [entriesName, keyName, valueName] = [entries, key, value].map(
    ({ element }) => element.name,
  );
  return (found) => {
    const list = isObject(found) ? found[entriesName!] : undefined;
    if (!Array.isArray(list)) throw refuse(wanted, found);
    return new Map(
      (list as Record<string, unknown>[]).map((entry) => {
        const name = convertKey(entry[keyName!]) as string;
        try {
          return [name, convertValue(entry[valueName!])];
        } catch (error) {
          throw new TypeError(`key '${name}': ${(error as Error).message}`);
        }
      }),
    );
  };
}

function planStruct(node: SchemaTree, type: TypeShape): Convert {
  const wanted = alternative(type, 'record');
  if (wanted === null) throw cannot('records', type);
  refuseMissing(node.children, wanted);
  const fields = Object.entries(wanted.fields).flatMap(([name, field]) => {
    const child = node.children.find(({ element }) => element.name === name);
    return child === undefined ? [] : [{ name, convert: planField(child, field) }];
  });
  return (value) => {
    if (!isObject(value)) throw refuse(wanted, value);
    const record: Record<string, unknown> = {};
    for (const { convert, name } of fields) {
      try {
        const converted = convert(value[name]);
        if (converted !== undefined) record[name] = converted;
      } catch (error) {
        throw new TypeError(`field '${name}': ${(error as Error).message}`);
      }
    }
    return record;
  };
}

function alternative<K extends TypeShape['kind']>(type: TypeShape, kind: K): Shape<K> | null {
  const types = type.kind === 'union' ? type.types : [type];
  return (types.find((one) => one.kind === kind) as Shape<K> | undefined) ?? null;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
