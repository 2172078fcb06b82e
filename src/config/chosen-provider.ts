/** Of `providers` only the section of the chosen one must be valid, and it alone is in force. */
import { nodeAt } from './json-schema.ts';
import { type Tree, isTree } from './layer.ts';
import { type ReferenceContext, resolveReferences } from './references.ts';

/** Without the sections of other providers. A section that no provider has stays, to be reported. */
export function withChosenProvider(values: Tree, context: ReferenceContext): Tree {
  const { provider = nodeAt(['provider']).default!, providers } = values;
  if (!isTree(providers)) return values;
  const chosen = resolveReferences({ provider }, context).values['provider'];
  const known = Object.keys(nodeAt(['providers']).properties ?? {});
  const kept = Object.entries(providers).filter(
    ([name]) => name === chosen || !known.includes(name),
  );
  return { ...values, providers: Object.fromEntries(kept) };
}
