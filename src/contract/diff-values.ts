/** What differs between two JSON values, key by key. Pure. */
import { canonicalJson } from './hash.ts';

/** Values by dotted key; lists count as one value. */
export type Flat = Map<string, string>;

/** Puts a value into `flat`, objects key by key. `null` is a value of its own, `undefined` is none. */
export function flatten(value: unknown, key: string, flat: Flat): Flat {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    for (const [name, inner] of Object.entries(value)) {
      flatten(inner, key === '' ? name : `${key}.${name}`, flat);
    }
  } else if (value !== undefined) {
    flat.set(key, typeof value === 'string' ? value : canonicalJson(value));
  }
  return flat;
}

/** `taskmanager.slots: 1 → 2`, sorted. */
export function differences(before: Flat, after: Flat): string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys]
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => `${key}: ${before.get(key) ?? 'absent'} → ${after.get(key) ?? 'absent'}`)
    .sort();
}
