/** The config as `GET /jobmanager/config` shows it: Flink-style dotted keys, no secrets. */
import { escapePlaceholders } from '../../contract/placeholders.ts';
import type { ResolvedConfig } from '../../config/resolved.ts';

/** Parts that describe the client's machine or hold what a user may consider private. */
const left: ReadonlySet<string> = new Set([
  'projectDir',
  'providers',
  'runtime',
  'application.args',
  'application.entry',
  'application.secretArgs',
  'jobmanager.environment',
  'taskmanager.environment',
]);

export function effectiveConfig(config: ResolvedConfig): Record<string, string> {
  const flat: Record<string, string> = {};
  collect('', config, flat);
  return flat;
}

function collect(prefix: string, value: unknown, flat: Record<string, string>): void {
  if (left.has(prefix)) return;
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) {
      collect(prefix === '' ? key : `${prefix}.${key}`, inner, flat);
    }
  } else if (value !== null) {
    flat[prefix] = escapePlaceholders(typeof value === 'string' ? value : JSON.stringify(value));
  }
}
