/**
 * Source code of `check` and `copy`, made of the shape of a type like that of codecs (S1 of codec-source.ts).
 *
 * P1  `copy` gives what reading gives of what was written: the declared fields in their order, absent ones
 *     absent, and nothing that could be changed from elsewhere.
 * P2  `check`, `copy` and `write` refuse the same values.
 */
import {
  type Fresh,
  fieldSource,
  fixed,
  freshNames,
  recordTestSource,
  testSource,
  unknownKind,
} from './codec-source.ts';
import type { TypeShape } from './types.ts';

/** `check(v) { … }`. It throws `0` on the first value that does not fit; `misfit` finds out which. */
export function checkSource(type: TypeShape): string {
  return `check(v) { try { ${checkOf(type, 'v', freshNames())} } catch (e) { throw misfit(type, v, e); } }`;
}

/** `copy(v) { … }` */
export function copySource(type: TypeShape): string {
  const body = copyOf(type, 'v', 'c', freshNames());
  return `copy(v) { try { ${body} return c; } catch (e) { throw misfit(type, v, e); } }`;
}

/** Statements that check the value in `v`. */
function checkOf(type: TypeShape, v: string, fresh: Fresh): string {
  const width = fixed[type.kind];
  if (width !== undefined) return width.check(v);
  switch (type.kind) {
    case 'string':
      return `if (typeof ${v} !== 'string') throw 0;`;
    case 'bytes':
      return `if (!(${v} instanceof Uint8Array)) throw 0;`;
    case 'primitive':
      return `checkPrimitive(${v});`;
    case 'optional':
      return `if (${v} !== undefined) { ${checkOf(type.type, v, fresh)} }`;
    case 'record': {
      const fields = Object.entries(type.fields).map(([field, inner]) => {
        const x = fresh();
        return `const ${x} = ${fieldSource(v, field)}; ${checkOf(inner, x, fresh)}`;
      });
      return `${recordTestSource(type, v)} ${fields.join(' ')}`;
    }
    case 'list': {
      const [i, x] = [fresh(), fresh()];
      return (
        `if (!Array.isArray(${v})) throw 0; ` +
        `for (let ${i} = 0; ${i} < ${v}.length; ${i}++) { const ${x} = ${v}[${i}]; ${checkOf(type.element, x, fresh)} }`
      );
    }
    case 'map': {
      const [k, x] = [fresh(), fresh()];
      return (
        `if (!(${v} instanceof Map)) throw 0; ` +
        `for (const [${k}, ${x}] of ${v}) { if (typeof ${k} !== 'string') throw 0; ${checkOf(type.value, x, fresh)} }`
      );
    }
    case 'union': {
      const cases = type.types.map((t) => `if (${testSource(t, v)}) { ${checkOf(t, v, fresh)} }`);
      return `${cases.join(' else ')} else throw 0;`;
    }
    default:
      throw unknownKind(type);
  }
}

/** Statements that check the value in `v` and leave its copy in a new variable `c`. */
function copyOf(type: TypeShape, v: string, c: string, fresh: Fresh): string {
  switch (type.kind) {
    case 'int32':
      return `${checkOf(type, v, fresh)} const ${c} = ${v} | 0;`; // −0 has no form of its own
    case 'long':
      return `${checkOf(type, v, fresh)} const ${c} = ${v} + 0;`; // −0 likewise
    case 'bytes':
      return `${checkOf(type, v, fresh)} const ${c} = new Uint8Array(${v});`;
    case 'optional': {
      const x = fresh();
      return `let ${c}; if (${v} !== undefined) { ${copyOf(type.type, v, x, fresh)} ${c} = ${x}; }`;
    }
    case 'record':
      return copyOfRecord(type, v, c, fresh);
    case 'list': {
      const [i, x, y] = [fresh(), fresh(), fresh()];
      return (
        `if (!Array.isArray(${v})) throw 0; const ${c} = []; ` +
        `for (let ${i} = 0; ${i} < ${v}.length; ${i}++) { const ${x} = ${v}[${i}]; ${copyOf(type.element, x, y, fresh)} ${c}.push(${y}); }`
      );
    }
    case 'map': {
      const [k, x, y] = [fresh(), fresh(), fresh()];
      return (
        `if (!(${v} instanceof Map)) throw 0; const ${c} = new Map(); for (const [${k}, ${x}] of ${v}) ` +
        `{ if (typeof ${k} !== 'string') throw 0; ${copyOf(type.value, x, y, fresh)} ${c}.set(${k}, ${y}); }`
      );
    }
    case 'union': {
      const cases = type.types.map((t) => {
        const x = fresh();
        return `if (${testSource(t, v)}) { ${copyOf(t, v, x, fresh)} ${c} = ${x}; }`;
      });
      return `let ${c}; ${cases.join(' else ')} else throw 0;`;
    }
    default:
      return `${checkOf(type, v, fresh)} const ${c} = ${v};`;
  }
}

function copyOfRecord(
  type: Extract<TypeShape, { kind: 'record' }>,
  v: string,
  c: string,
  fresh: Fresh,
): string {
  const fields = Object.entries(type.fields).map(([field, inner]) => {
    const [x, y] = [fresh(), fresh()];
    const copied = `const ${x} = ${fieldSource(v, field)}; ${copyOf(inner, x, y, fresh)}`;
    return { name: JSON.stringify(field), isOptional: inner.kind === 'optional', copied, y };
  });
  const pairs = fields.filter((f) => !f.isOptional).map((f) => `${f.name}: ${f.y}`);
  const optional = fields
    .filter((f) => f.isOptional)
    .map((f) => `if (${f.y} !== undefined) ${c}[${f.name}] = ${f.y};`);
  return (
    `${recordTestSource(type, v)} ${fields.map((f) => f.copied).join(' ')} ` +
    `const ${c} = { ${pairs.join(', ')} }; ${optional.join(' ')}`
  );
}
