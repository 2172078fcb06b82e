/**
 * The hash of a graph: two processes that built a job from the same bundle and arguments compare it.
 * Everything counts but parallelism and max parallelism, so that rescaling keeps it. Of cached files the
 * names count: where a file is, and what is in it, not every process knows.
 */
import type { WindowOperation } from '../api/transformations.ts';
import type { TypeShape } from '../api/types.ts';
import { canonicalJson, sha256 } from '../contract/hash.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { PlannedOperator } from './plan.ts';

/** What of an operator counts. */
export type OperatorPrint = JsonObject & { readonly name: string };

export function printOperators(operators: readonly PlannedOperator[]): OperatorPrint[] {
  const idOf = new Map(operators.map((o) => [o.transformation, o.id]));
  return operators.map(({ id, transformation: { name, operation, outputType, inputs } }) => ({
    id,
    name,
    kind: operation.kind,
    window: operation.kind === 'window' ? printWindow(operation) : null,
    type: printType(outputType),
    enumerator: operation.kind === 'source' ? asJson(operation.source.enumerator) : null,
    committer: operation.kind === 'sink' ? asJson(operation.sink.committer) : null,
    inputs: inputs.map((input) => [
      idOf.get(input.from)!,
      input.partitioner,
      printType(input.key?.type ?? null),
    ]),
  }));
}

function printWindow({ assigner, allowedLatenessMs, contents }: WindowOperation): JsonValue {
  const accumulator = contents.kind === 'aggregate' ? (contents.type ?? null) : null;
  return [
    asJson(assigner),
    allowedLatenessMs,
    ...(accumulator === null ? [] : [printType(accumulator)]),
  ];
}

/** A text: the order of the fields of a record counts, it is that of their encoding. */
function printType(type: TypeShape | null): string {
  return JSON.stringify(type);
}

function asJson(value: object | null): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}

/** Lowercase hex SHA-256. */
export function hashOf(
  name: string,
  args: JsonObject,
  prints: readonly OperatorPrint[],
  cachedFiles: readonly string[],
): string {
  const files = cachedFiles.length === 0 ? {} : { cachedFiles: cachedFiles.toSorted() };
  return sha256(canonicalJson({ name, args, operators: prints, ...files }));
}

/** The first difference, in words; `null`: there is none. */
export function describeDifference(
  a: readonly OperatorPrint[],
  b: readonly OperatorPrint[],
): string | null {
  const at = a.findIndex((print, index) => canonicalJson(print) !== canonicalJson(b[index]));
  if (at < 0) return a.length === b.length ? null : `${a.length} operators, then ${b.length}`;
  const [first, second] = [a[at]!, b[at]];
  if (second === undefined) return `${a.length} operators, then ${b.length}`;
  if (first.name !== second.name) return `operator '${first.name}', then '${second.name}'`;
  const fields = Object.keys(first).filter(
    (key) => canonicalJson(first[key]) !== canonicalJson(second[key]),
  );
  const field = fields.find((key) => key !== 'id') ?? 'id';
  const values = [first, second].map((print) => shorten(canonicalJson(print[field])));
  return `${field} of operator '${first.name}': ${values[0]}, then ${values[1]}`;
}

function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
