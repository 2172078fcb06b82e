/**
 * Which values are secret because of where they came from or of what they are called.
 *
 * S1  Text is secret when it came out of a reference, or when the name of its key, or of one above it,
 *     has a word for secrets in it.
 * S2  A number is secret when such a name *ends* with the word: `password: 83746512` is one, `maxTokens: 5`
 *     and `tokenizer: { size: 512 }` are not, and must be there as they are when a release is restored.
 * S3  `true`, `false` and `null` are no secrets: they cannot be kept from who knows the key.
 */
import type { JsonValue } from '../contract/json.ts';
import { type Path, pointer } from './layer.ts';

const words = 'password|passphrase|secret|token|credential|api_?key|private_?key|access_?key';
const hasSecretWord = new RegExp(words, 'i');
const endsWithSecretWord = new RegExp(`(?:${words}|credentials|secrets|passwords)$`, 'i');

/** Whether a key on the path is called like a secret: what is given there is told to nobody. */
export const isSecretName = (path: Path): boolean =>
  path.some((part) => hasSecretWord.test(String(part)));

/** Whether that is what a secret is called (S2). */
export const isNameOfSecret = (name: string): boolean => endsWithSecretWord.test(name);

/**
 * Whether a value is secret; for lists and objects it is what is in them that counts.
 * @param references JSON pointers of what came out of references.
 */
export function isSecretValue(
  value: JsonValue,
  path: Path,
  references: ReadonlySet<string>,
): boolean {
  if (typeof value === 'string') return references.has(pointer(path)) || isSecretName(path); // S1
  if (typeof value !== 'number') return false; // S3
  return path.some((part) => isNameOfSecret(String(part))); // S2
}

/**
 * Pointers, relative to `args`, of the texts and numbers in it that must not be shown.
 *
 * @param references JSON pointers of the whole config.
 */
export function secretArguments(args: JsonValue, references: ReadonlySet<string>): string[] {
  const found: string[] = [];
  const visit = (value: JsonValue, path: Path): void => {
    if (isSecretValue(value, ['application', 'args', ...path], references)) {
      found.push(pointer(path));
    }
    if (value === null || typeof value !== 'object') return;
    const inner = Array.isArray(value) ? value.entries() : Object.entries(value);
    for (const [key, item] of inner as Iterable<[string | number, JsonValue]>) {
      visit(item, [...path, key]);
    }
  };
  visit(args, []);
  return found;
}
