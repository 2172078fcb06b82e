/** `fctl bundle`: the application as the one file that is shipped. */
import { copyFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UsageError, problem } from '../../contract/errors.ts';
import { formatBytes } from '../../contract/units.ts';
import { bundleApplication } from '../../packaging/bundle.ts';
import { inspectApplication } from '../../packaging/inspect.ts';
import type { bundle as declaration } from '../commands/bundle.ts';
import type { Context } from '../context.ts';
import type { Given } from '../verb.ts';

/** It is evaluated as far as an upload is: which arguments it will get, and which job is run, is said later. */
export async function run(context: Context, given: Given<typeof declaration>): Promise<void> {
  const { place, report } = context;
  const { config } = await context.config({ application: true });
  const { application, cluster, projectDir } = config;
  const { entry, parallelism } = application!;
  const file = resolve(place.cwd, given.file ?? `${cluster}.mjs`);
  const cacheDir = join(place.cacheDir, 'bundles');
  const bundle = await bundleApplication({ entry, projectDir, cacheDir });
  await inspectApplication(bundle, {
    args: {},
    parallelism,
    workingDirectory: projectDir,
    compile: { jobs: 'none' },
    script: join(place.runtimeDir, 'inspect.js'),
    signal: context.signal,
    onOutput: (text) => report.output(text),
  });
  await copyFile(bundle.file, file).catch((error: NodeJS.ErrnoException) => {
    const message = `the bundle cannot be written to ${file}: ${error.message}`;
    throw new UsageError(problem({ code: 'not-writable', message }));
  });
  const { hash, sizeBytes } = bundle;
  report.result({ file, hash, sizeBytes }, () => `${file} (${formatBytes(sizeBytes)})`);
}
