/** A light check of JSON that came from outside: the fields that are read are there and of their type. */

export type FieldType = 'string' | 'number' | 'boolean' | 'object' | 'array';

/** Types of required fields by their path: `/jobs[]/jid`; below a list, of each of its elements. */
export type Shape = Readonly<Record<string, FieldType>>;

/** @returns the first thing that is wrong, with the path of the field; `null`: nothing. */
export function findShapeProblem(body: unknown, shape: Shape): string | null {
  for (const [path, type] of Object.entries(shape)) {
    const problem = check(body, path.match(/[^/[\]]+|\[\]/g) ?? [], '', type);
    if (problem !== null) return problem;
  }
  return null;
}

function check(
  value: unknown,
  steps: readonly string[],
  at: string,
  type: FieldType,
): string | null {
  const [step, ...rest] = steps;
  if (step === undefined) return expectType(value, at, type);
  const wrong = expectType(value, at, step === '[]' ? 'array' : 'object');
  if (wrong !== null) return wrong;
  if (step !== '[]') {
    return check((value as Record<string, unknown>)[step], rest, `${at}/${step}`, type);
  }
  for (const [index, element] of (value as unknown[]).entries()) {
    const problem = check(element, rest, `${at}[${index}]`, type);
    if (problem !== null) return problem;
  }
  return null;
}

function expectType(value: unknown, at: string, type: FieldType): string | null {
  const actual = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  if (actual === type) return null;
  const name = at === '' ? 'the whole' : at;
  return actual === 'undefined' ? `${name} is missing` : `${name} is ${actual}, not ${type}`;
}
