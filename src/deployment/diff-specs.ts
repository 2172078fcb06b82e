/** Names what differs between two process specs, in the words of the config where it can. Pure. */
import type { ProcessSpec } from '../contract/process-spec.ts';
import { canonicalJson } from '../contract/hash.ts';

/** @returns dotted keys with both values: `slots: 1 → 2`, `command`, `application bundle`. Sorted. */
export function diffSpecs(before: ProcessSpec, after: ProcessSpec): string[] {
  const left = flatten(before);
  const right = flatten(after);
  const keys = new Set([...left.keys(), ...right.keys()]);
  return [...keys]
    .filter((key) => left.get(key) !== right.get(key))
    .map((key) => `${key}: ${left.get(key) ?? 'absent'} → ${right.get(key) ?? 'absent'}`)
    .sort();
}

function flatten(spec: ProcessSpec): Map<string, string> {
  const flat = new Map<string, string>();
  const put = (key: string, value: unknown): void => {
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      for (const [name, inner] of Object.entries(value))
        put(key === '' ? name : `${key}.${name}`, inner);
    } else flat.set(key, typeof value === 'string' ? value : canonicalJson(value));
  };
  const { resources, environment, command, secrets, readiness, stop } = spec;
  put(spec.role, { resources, environment, command, secrets, readiness, stop });
  for (const port of spec.ports) put(`${spec.role}.${port.name}.port`, port.port);
  for (const file of spec.files) {
    if (file.type === 'artifact') put('application bundle', file.hash.slice(0, 12));
    else put(spec.role, parsed(file.content));
  }
  return flat;
}

/** Without what is repeated for people under `effectiveConfig`. */
function parsed(content: string): unknown {
  const { effectiveConfig: _shown, ...rest } = JSON.parse(content) as Record<string, unknown>;
  return rest;
}
