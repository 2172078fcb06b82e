/** What plan and deploy have in common: config → checked application → provider and engine. */
import { join } from 'node:path';
import type { LoadedConfig } from '../../config/load.ts';
import { maskedConfig } from '../../config/show.ts';
import { parseClusterId } from '../../contract/cluster-id.ts';
import { UsageError, problem } from '../../contract/errors.ts';
import type { DeployInput } from '../../deployment/operation/desired.ts';
import { loadEngine } from '../../engines/registry.ts';
import { findUnsharedPaths, findUnusablePaths } from '../../deployment/storage-check.ts';
import { bundleApplication } from '../../packaging/bundle.ts';
import { inspectApplication } from '../../packaging/inspect.ts';
import type { Context } from '../context.ts';
import { type OperationFlags, hooksOf, todayOf, warnOfUnknownKeys } from './operation-flags.ts';

/** The config with `--mode` and `--cluster` applied, which win over everything else. */
export async function loadDeployable(
  context: Context,
  { cluster, mode }: { readonly cluster: string | null; readonly mode: string | null },
): Promise<LoadedConfig> {
  const set = [
    ...(mode === null ? [] : [`mode=${mode}`]),
    ...(cluster === null ? [] : [`cluster=${parseClusterId(cluster)}`]),
  ];
  const loaded = await context.config({ application: true, set });
  if (loaded.config.mode !== 'session') return loaded;
  throw new UsageError(
    problem({
      code: 'mode-not-deployable',
      message: 'an application is not deployed in session mode, but submitted to a session',
      hint: "'fctl session start' starts one, 'fctl session submit' runs the application on it",
    }),
  );
}

/** Bundles and checks the application. @throws ConfigError with every problem of it. */
export async function prepareDeployment(
  context: Context,
  flags: Pick<OperationFlags, 'noHooks'>,
  loaded: LoadedConfig,
): Promise<DeployInput> {
  const { config } = loaded;
  const application = config.application!;
  const site = await context.site();
  const { engines, provider } = site;
  provider.warmUp?.();
  const bundle = await bundleApplication({
    entry: application.entry,
    projectDir: config.projectDir,
    cacheDir: bundlesDir(context),
  });
  const { graphs, hasMain } = await inspectApplication(bundle, {
    args: application.args,
    parallelism: application.parallelism,
    workingDirectory: config.projectDir,
    compile: { jobs: 'if-no-main' },
    script: join(context.place.runtimeDir, 'inspect.js'),
    signal: context.signal,
    onOutput: (text) => context.report.output(text),
  });
  const isSeparate = !provider.capabilities.commonFiles;
  const { originOf } = loaded;
  const question = { config, hasMain, graphs, originOf };
  return {
    config,
    maskedConfig: maskedConfig(loaded),
    today: todayOf(loaded),
    onUnknownKeys: warnOfUnknownKeys(context),
    bundle,
    bundlesDir: bundlesDir(context),
    ...site,
    problems: [...findUnusablePaths(question), ...(isSeparate ? findUnsharedPaths(question) : [])],
    engine: await loadEngine(engines, config.engine),
    hooks: hooksOf(context, flags, loaded),
  };
}

/** Where this client keeps application bundles. */
export const bundlesDir = ({ place }: Context): string => join(place.cacheDir, 'bundles');
