/** `application.args` in YAML: numbers of which something would be lost stay the texts that they are. */
import { type Document, isAlias, isMap, isPair, isScalar, isSeq } from 'yaml';
import { isExactNumber } from '../contract/exact-json.ts';
import type { Path } from './layer.ts';

/** Also of an environment. */
export function isArgument(path: Path): boolean {
  const [first, , ...rest] = path;
  const [section, key] = first === 'environments' ? rest : path;
  return section === 'application' && key === 'args';
}

/** Changes the numbers of a node, also those that aliases and merges take from elsewhere. */
export function keepNumberTexts(
  node: unknown,
  document: Document,
  seen = new Set<unknown>(),
): void {
  if (seen.has(node)) return;
  seen.add(node);
  if (isAlias(node)) keepNumberTexts(node.resolve(document), document, seen);
  else if (isMap(node) || isSeq(node)) {
    for (const item of node.items)
      keepNumberTexts(isPair(item) ? item.value : item, document, seen);
  } else if (isScalar(node) && typeof node.value === 'number') {
    const { source, value } = node;
    const isNumber = Number.isFinite(value); // others are refused
    if (isNumber && source !== undefined && !isExactNumber(value as number, source))
      node.value = source;
  }
}
