/** Placeholders of the process contract: `${name}`, with `$${` for a literal `${`. See process-spec.ts. */

/** Makes text that comes from a user safe to stand in a `ProcessSpec`. */
export function escapePlaceholders(text: string): string {
  return text.replaceAll('${', () => '$${');
}

/**
 * Replaces every placeholder.
 * @param encode applied to each value: `encodeInJson` inside a JSON file.
 * @throws Error when a placeholder has no value: a spec must not be placed half understood.
 */
export function substitutePlaceholders(
  text: string,
  values: Readonly<Record<string, string>>,
  encode: (value: string) => string = (value) => value,
): string {
  // An escape is taken alone: what follows it may be another one.
  return text.replace(/\$\$\{|\$\{([^}]*)\}?/g, (match, name: string | undefined) => {
    if (name === undefined) return '${';
    const value = values[name];
    if (value === undefined) throw new Error(`unknown placeholder ${match}`);
    return encode(value);
  });
}

/** For values inside a JSON string literal. */
export const encodeInJson = (value: string): string => JSON.stringify(value).slice(1, -1);
