/** `fctl --json list`: options that all verbs have may stand before the verb, as with kubectl and docker. */
import { clusterOption, commonOptions, placeOptions } from './common-options.ts';

const takesValue = new Map(
  Object.values({ ...commonOptions, ...placeOptions, ...clusterOption }).flatMap((option) =>
    option.flags
      .split(/[ ,]+/)
      .filter((word) => word.startsWith('-'))
      .map((name) => [name, option.parse !== null] as const),
  ),
);

/** @returns the command line with those options behind its other words. What is not known stays where it is. */
export function verbFirst(line: readonly string[]): readonly string[] {
  let at = 0;
  while (at < line.length && takesValue.has(nameIn(line[at]!))) {
    at += takesValue.get(nameIn(line[at]!)) && !line[at]!.includes('=') ? 2 : 1;
  }
  const rest = line.slice(at);
  const end = rest.includes('--') ? rest.indexOf('--') : rest.length;
  return [...rest.slice(0, end), ...line.slice(0, at), ...rest.slice(end)];
}

const nameIn = (word: string): string => word.split('=', 1)[0]!;
