/** Options that the verbs which change a cluster have in common. */
import { join } from 'node:path';
import type { LoadedConfig } from '../../config/load.ts';
import { problem } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { Hooks } from '../../deployment/hooks.ts';
import type { OperationOptions } from '../../deployment/operation/stages.ts';
import type { Context } from '../context.ts';
import type { Progress } from '../output/progress.ts';
import { showDeployEvent } from './deploy-events.ts';
import type { OptionValues, operationOptions as declared } from '../common-options.ts';

/** Of the verbs that change the processes of a cluster. */
export type OperationFlags = OptionValues<typeof declared> & {
  readonly rollbackOnFailure?: boolean;
};

export function operationOptions(
  { report, signal }: Context,
  { allowStateLoss, healthTimeout, lockWait, rollbackOnFailure = false }: OperationFlags,
  progress: Progress,
): OperationOptions {
  return {
    signal,
    redactor: report.redactor,
    onEvent: (event) => showDeployEvent(progress, event),
    healthTimeoutMs: healthTimeout,
    lockWaitMs: lockWait,
    allowStateLoss,
    rollbackOnFailure,
  };
}

/** Those beside the config file; `null`: there is none, or `--no-hooks`. */
export function hooksOf(
  { place, report }: Context,
  { noHooks }: Pick<OperationFlags, 'noHooks'>,
  loaded: LoadedConfig | null,
): Hooks | null {
  if (noHooks || loaded === null || loaded.file === null) return null;
  const { projectDir } = loaded.config;
  return {
    dir: join(projectDir, '.fctl', 'hooks'),
    workingDirectory: projectDir,
    environment: place.environment,
    onOutput: (bytes) => process.stderr.write(bytes),
    redactor: report.redactor,
  };
}

/** The config in the user's units, with its secrets. */
export const todayOf = (loaded: LoadedConfig | null): JsonObject | null =>
  loaded === null ? null : (loaded.parsed as unknown as JsonObject);

/** @returns what tells of each key once, however often the record is read. */
export function warnOfUnknownKeys({ report }: Context): (paths: readonly string[]) => void {
  const told = new Set<string>();
  return (paths) => {
    for (const path of paths.filter((p) => !told.has(p))) {
      told.add(path);
      report.warning(
        problem({
          code: 'recorded-by-another-version',
          message: 'another version of fctl recorded this key, which this one does not have',
          path,
          hint: 'it does not count here; use the version that deployed the cluster where it matters',
        }),
      );
    }
  };
}
