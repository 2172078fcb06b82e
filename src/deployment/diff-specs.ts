/** Names what differs between two process specs, in the words of the config where it can. Pure. */
import type { ProcessSpec } from '../contract/process-spec.ts';
import { canonicalJson } from '../contract/hash.ts';

/** @returns dotted keys with both values: `taskmanager.slots: 1 → 2`, `application bundle: …`. Sorted. */
export function diffSpecs(before: ProcessSpec, after: ProcessSpec): string[] {
  const left = flatten(before);
  const right = flatten(after);
  const keys = new Set([...left.keys(), ...right.keys()]);
  return [...keys]
    .filter((key) => left.get(key) !== right.get(key))
    .map((key) => `${key}: ${left.get(key) ?? 'absent'} → ${right.get(key) ?? 'absent'}`)
    .sort();
}

function flatten(spec: ProcessSpec): Map<string, string> {
  const flat = new Map<string, string>();
  const put = (key: string, value: unknown): void => {
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      for (const [name, inner] of Object.entries(value))
        put(key === '' ? name : `${key}.${name}`, inner);
    } else flat.set(configKey(key), typeof value === 'string' ? value : canonicalJson(value));
  };
  const { resources, environment, command, secrets, readiness, stop } = spec;
  put(spec.role, { resources, environment, command, secrets, readiness, stop });
  for (const file of spec.files) {
    if (file.type === 'artifact') put('application bundle', file.hash.slice(0, 12));
    else put(spec.role, comparable(file.content));
  }
  // In place of the placeholders that files have for them.
  for (const port of spec.ports) put(`${spec.role}.${port.name}.port`, port.port);
  return flat;
}

/** Parts of a process's config that are there for people, or said elsewhere, or change while it runs. */
const left: ReadonlySet<string> = new Set([
  'effectiveConfig',
  'taskManagers',
  'bundleFile',
  'bundleHash',
  'secretArgsFile',
]);

const comparable = (content: string): unknown =>
  JSON.parse(content, (key, value: unknown) => (left.has(key) ? undefined : value));

/** What a process calls differently than the config does. */
const configKeys: readonly (readonly [pattern: RegExp, key: string])[] = [
  [/^jobmanager\.application\.secretArgsHash$/, 'secrets of application.args'],
  [/^jobmanager\.application\./, 'application.'],
  [/^jobmanager\.parallelism$/, 'application.parallelism'],
  [/^jobmanager\.slotRequestTimeoutMs$/, 'taskmanager.slotRequestTimeoutMs'],
  [/^jobmanager\.loadBalanceMode$/, 'taskmanager.loadBalance.mode'],
  [/^jobmanager\.restart\./, 'restart.'],
  [/^jobmanager\.retentionMs$/, 'retentionMs'],
  [/^\w+\.auth$/, 'security.auth'],
  [/^\w+\.(heartbeat|logging|network)\./, '$1.'],
];

/** `jobmanager.heartbeat.intervalMs` → `heartbeat.interval`. */
function configKey(path: string): string {
  const named = configKeys.reduce((key, [pattern, name]) => key.replace(pattern, name), path);
  return named.replace(/(?:Ms|Bytes)$/, '');
}
