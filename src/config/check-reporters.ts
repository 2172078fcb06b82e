/** What of `metrics.reporters` the schema lets through, and is wrong. */
import type { Finding } from './finding.ts';
import { type Tree, isTree, valueAt } from './layer.ts';
import { reporterKeys } from './reporters.ts';
import { suggestKey } from './suggest.ts';

export function checkReporters(values: Tree): Finding[] {
  const list = valueAt(values, ['metrics', 'reporters']);
  if (!Array.isArray(list)) return [];
  return list.flatMap((one, index) => {
    if (!isTree(one) || one['type'] !== 'prometheus') return [];
    const path = ['metrics', 'reporters', index];
    const findings: Finding[] = Object.keys(one)
      .filter((key) => !reporterKeys.includes(key))
      .map((key) => ({
        code: 'unknown-key',
        message: `unknown key '${key}'`,
        path: [...path, key],
        part: 'key',
        hint: suggestKey(key, reporterKeys),
      }));
    if (one['port'] === undefined || one['range'] === undefined) return findings;
    return [
      ...findings,
      {
        code: 'invalid-value',
        message: "there is a 'port', too: either counts",
        path: [...path, 'range'],
        part: 'value',
        hint: "remove 'port' or 'range'",
      },
    ];
  });
}
