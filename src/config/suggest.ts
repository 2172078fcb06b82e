/** "Did you mean". */
import { distance } from 'fastest-levenshtein';
import { keysOf } from './json-schema.ts';

/** @returns `null` when none is close. */
export function closest(word: string, known: readonly string[]): string | null {
  const ranked = known
    .map((candidate) => ({ candidate, far: distance(candidate.toLowerCase(), word.toLowerCase()) }))
    .toSorted((a, b) => a.far - b.far);
  const [best] = ranked;
  return best !== undefined && best.far <= Math.max(2, word.length / 3) ? best.candidate : null;
}

/** What to do about an unknown key, given the keys that are known beside it. */
export function suggestKey(word: string, known: readonly string[]): string {
  if (known.includes(word)) return 'only a config file may have it';
  const near = closest(word, known);
  if (near !== null) return `did you mean '${near}'?`;
  const elsewhere = keysOf().find(
    ({ path }) => path.join('.') === word || path.at(-1)?.toLowerCase() === word.toLowerCase(),
  );
  if (elsewhere) return `the key is '${elsewhere.path.join('.')}', each part within the one before`;
  return known.length > 0 ? `known keys are ${known.join(', ')}` : 'remove it';
}
