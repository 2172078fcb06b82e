/** What of the form of CSV the user says, for reading and writing alike. */
import type { CsvDialect } from './csv-rows.ts';

/**
 * @param what for errors: `FileSource.csv`
 * @throws TypeError for a separator or quote with which rows could not be told apart.
 */
export function csvDialect(
  options: { readonly separator?: string; readonly quote?: string | null },
  what: string,
): CsvDialect {
  const { separator = ',', quote } = options;
  if (separator === '' || /[\r\n]/.test(separator)) {
    throw new TypeError(`${what}: a separator is a text without line breaks, such as ',' or '\\t'`);
  }
  if (quote === undefined || quote === null) {
    const effective = quote === null ? null : '"';
    if (effective === null || !separator.includes(effective)) return { separator, quote };
    throw new TypeError(
      `${what}: '${separator}' has a quote: name another one, or \`quote: null\``,
    );
  }
  if (quote.length !== 1 || /\s/.test(quote) || separator.includes(quote)) {
    throw new TypeError(
      `${what}: a quote is one character that is not in the separator, or null for none`,
    );
  }
  return { separator, quote };
}
