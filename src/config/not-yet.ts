/**
 * What the configuration's design has and this version has not: the one table that later versions shrink.
 * Descriptions of keys and checks are both made from it, so that neither promises what does not work.
 */
import { providerNames } from './providers/sections.ts';

interface NotYet {
  /** A key, or a section with all its keys. */
  readonly key: string;
  /** Values that work; none: the key itself does not. */
  readonly works: readonly (string | number | boolean)[];
  /** What is missing, where key and value do not say it well. */
  readonly what?: string;
}

export const notYet: readonly NotYet[] = [
  { key: 'provider', works: providerNames },
  { key: 'engine', works: ['bundled'] },
  { key: 'application.savepoint', works: ['none'], what: 'savepoints to start from' },
  { key: 'application.allowNonRestoredState', works: [false], what: 'savepoints to start from' },
  { key: 'jobmanager.replicas', works: [1], what: 'high availability' },
  { key: 'checkpointing', works: [], what: 'checkpoints' },
  { key: 'savepoints', works: [], what: 'savepoints' },
  { key: 'state.backend', works: ['heap'] },
  { key: 'ha.type', works: ['none'] },
  // Of each entry of the list.
  { key: 'metrics.reporters.type', works: ['prometheus'] },
  { key: 'security.tls', works: ['off'], what: 'TLS' },
];

/** The description of a key, with what of it does not work yet. */
export function describeKey(key: string, text: string): string {
  const row = notYet.find((entry) => key === entry.key || key.startsWith(`${entry.key}.`));
  if (row === undefined) return text;
  const works = row.works.map((value) => `\`${String(value)}\``).join(', ');
  return works === '' ? `${text} Not in this version.` : `${text} In this version only ${works}.`;
}
