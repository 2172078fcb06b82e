/** Names what differs between two process specs, in the words of the config where it can. Pure. */
import { type Flat, differences, flatten } from '../../contract/diff-values.ts';
import { ProcessEnvironment } from '../../contract/environment.ts';
import type { ProcessSpec } from '../../contract/process-spec.ts';

/** `Engine.explain`, sorted: `taskmanager.slots: 1 → 2`, `application bundle: …`. */
export function explain(before: ProcessSpec, after: ProcessSpec): string[] {
  return differences(inWordsOfConfig(before), inWordsOfConfig(after));
}

function inWordsOfConfig(spec: ProcessSpec): Flat {
  const flat: Flat = new Map();
  const { resources, environment, command, secrets, readiness, stop } = spec;
  flatten({ resources, environment, command, secrets, readiness, stop }, spec.role, flat);
  for (const file of spec.files) {
    if (file.type === 'artifact') flatten(file.hash.slice(0, 12), 'application bundle', flat);
    else flatten(comparable(file.content), spec.role, flat);
  }
  // In place of the placeholders that files have for them.
  for (const port of spec.ports) flatten(port.port, `${spec.role}.${port.name}.port`, flat);
  return new Map([...flat].map(([key, value]) => [configKey(key), value]));
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
  [new RegExp(`^\\w+\\.environment\\.${ProcessEnvironment.version}$`), 'fctl'],
  [/^jobmanager\.application\.secretArgsHash$/, 'secrets of application.args'],
  [/^jobmanager\.application\./, 'application.'],
  [/^jobmanager\.parallelism$/, 'application.parallelism'],
  [/^jobmanager\.slotRequestTimeoutMs$/, 'taskmanager.slotRequestTimeoutMs'],
  [/^jobmanager\.loadBalanceMode$/, 'taskmanager.loadBalance.mode'],
  [/^jobmanager\.(restart|storage)\./, '$1.'],
  [/^\w+\.auth$/, 'security.auth'],
  [/^\w+\.(heartbeat|logging|network)\./, '$1.'],
];

/** `jobmanager.heartbeat.intervalMs` → `heartbeat.interval`. */
function configKey(path: string): string {
  const named = configKeys.reduce((key, [pattern, name]) => key.replace(pattern, name), path);
  return named.replace(/(?:Ms|Bytes)$/, '');
}
