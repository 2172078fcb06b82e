/** Which values are secret because of what they are called, and where those of an application lie. */
import type { JsonValue } from '../contract/json.ts';
import { type Path, pointer } from './layer.ts';

const secretName = /password|passphrase|secret|token|credential|api_?key|private_?key|access_?key/i;

/** Whether values of that key, and all that is below it, are masked wherever they came from. */
export const isSecretName = (path: Path): boolean => secretName.test(String(path.at(-1)));

/**
 * Pointers, relative to `args`, of the strings in it that must not be shown: those that came out of
 * references, and those below a key with such a name.
 *
 * @param references JSON pointers of the whole config.
 */
export function secretArguments(args: JsonValue, references: ReadonlySet<string>): string[] {
  const found: string[] = [];
  const visit = (value: JsonValue, path: Path, within: boolean): void => {
    const isSecret = within || references.has(pointer(['application', 'args', ...path]));
    if (typeof value === 'string' && isSecret) found.push(pointer(path));
    if (value === null || typeof value !== 'object') return;
    const inner = Array.isArray(value) ? value.entries() : Object.entries(value);
    for (const [key, item] of inner as Iterable<[string | number, JsonValue]>) {
      const at = [...path, key];
      visit(item, at, isSecret || isSecretName(at));
    }
  };
  visit(args, [], false);
  return found;
}
