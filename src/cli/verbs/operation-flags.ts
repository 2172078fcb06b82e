/** Options that the verbs which change a cluster have in common. */
import { join } from 'node:path';
import type { LoadedConfig } from '../../config/load.ts';
import { problem } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { Hooks } from '../../deployment/hooks.ts';
import type { OperationOptions } from '../../deployment/operation/stages.ts';
import type { CommonOptions, Context } from '../context.ts';
import type { Progress } from '../output/progress.ts';
import { showDeployEvent } from './deploy-events.ts';
import { parseDuration } from './option-values.ts';

export interface OperationFlags extends CommonOptions {
  readonly allowStateLoss?: boolean;
  readonly rollbackOnFailure?: boolean;
  /** A duration. */
  readonly lockWait?: string;
  /** A duration. */
  readonly healthTimeout?: string;
  /** `--no-hooks` */
  readonly hooks?: boolean;
}

/** For the cluster to become healthy. */
const defaultHealthTimeoutMs = 60_000;
/** For another deployment to end. */
const defaultLockWaitMs = 20_000;

/** @throws UsageError for a `--lock-wait` or `--health-timeout` that is no duration. */
export function operationOptions(
  { options, report, signal }: Context<OperationFlags>,
  progress: Progress,
): OperationOptions {
  return {
    signal,
    redactor: report.redactor,
    onEvent: (event) => showDeployEvent(progress, event),
    healthTimeoutMs:
      parseDuration('--health-timeout', options.healthTimeout) ?? defaultHealthTimeoutMs,
    lockWaitMs: parseDuration('--lock-wait', options.lockWait) ?? defaultLockWaitMs,
    allowStateLoss: options.allowStateLoss ?? false,
    rollbackOnFailure: options.rollbackOnFailure ?? false,
  };
}

/** Those beside the config file; `null`: there is none, or `--no-hooks`. */
export function hooksOf(
  { options, place, report }: Context<OperationFlags>,
  loaded: LoadedConfig | null,
): Hooks | null {
  if (options.hooks === false || loaded === null || loaded.file === null) return null;
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
export function warnOfUnknownKeys({
  report,
}: Context<CommonOptions>): (paths: readonly string[]) => void {
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
