/** About how many bytes of memory a record takes. */
const maxVisited = 1000;

/** Looks at no more than 1000 values inside, and scales what is larger. Never below 16. */
export function estimateSize(value: unknown): number {
  const budget = { left: maxVisited };
  return Math.max(16, sizeOf(value, budget));
}

function sizeOf(value: unknown, budget: { left: number }): number {
  budget.left--;
  switch (typeof value) {
    case 'string':
      return 16 + value.length;
    case 'number':
    case 'boolean':
    case 'undefined':
      return 8;
    case 'bigint':
      return 24;
    case 'object':
      return value === null ? 8 : 24 + sizeOfObject(value, budget);
    default:
      return 8;
  }
}

function sizeOfObject(value: object, budget: { left: number }): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (Array.isArray(value)) return sizeOfAll(value, value.length, budget);
  if (value instanceof Map) return 32 * value.size + sizeOfAll(value.values(), value.size, budget);
  if (value instanceof Set) return 16 * value.size + sizeOfAll(value, value.size, budget);
  const values = Object.values(value);
  return sizeOfAll(values, values.length, budget);
}

function sizeOfAll(values: Iterable<unknown>, count: number, budget: { left: number }): number {
  let bytes = 0;
  let seen = 0;
  for (const value of values) {
    if (budget.left <= 0) break;
    bytes += 8 + sizeOf(value, budget);
    seen++;
  }
  return seen === 0 ? count * 16 : (bytes * count) / seen;
}
