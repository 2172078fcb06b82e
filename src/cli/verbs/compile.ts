/** `fctl compile`: the JobGraphs of an application. */
import { join } from 'node:path';
import { problem } from '../../contract/errors.ts';
import { jobGraphSchema } from '../../graph/job-graph-schema.ts';
import { renderJobGraph } from '../../graph/render.ts';
import { bundleApplication } from '../../packaging/bundle.ts';
import { inspectApplication } from '../../packaging/inspect.ts';
import type { compile as declaration } from '../commands/compile.ts';
import type { Context } from '../context.ts';
import { refuseBeside } from '../options.ts';
import type { Given } from '../verb.ts';
import { parseJsonArgs } from './option-values.ts';

export async function run(
  context: Context,
  { args: ownArgs, format, job }: Given<typeof declaration>,
): Promise<void> {
  const { report, signal } = context;
  if (format === 'schema') {
    refuseBeside('beside --format schema', { '--job': job !== null, '--args': ownArgs !== null });
    report.result(jobGraphSchema, () => JSON.stringify(jobGraphSchema, null, 2));
    return;
  }
  const { config } = await context.config({ application: true });
  const { entry, args, parallelism } = config.application!;
  const { projectDir } = config;
  const bundle = await bundleApplication({
    entry,
    projectDir,
    cacheDir: join(context.place.cacheDir, 'bundles'),
  });
  const given = ownArgs === null ? null : parseJsonArgs(ownArgs, report.redactor);
  const { graphs, incomplete } = await inspectApplication(bundle, {
    args: given ?? args,
    parallelism,
    workingDirectory: projectDir,
    // Arguments that are given with the name of a job are its own.
    compile: job !== null && given !== null ? { job } : { executed: job },
    script: join(context.place.runtimeDir, 'inspect.js'),
    signal,
    onOutput: (text) => report.output(text),
  });
  if (incomplete !== null) {
    report.warning(
      problem({ code: 'main-incomplete', message: `there may be more jobs: ${incomplete}` }),
    );
  }
  const data = { bundleHash: bundle.hash, graphs };
  const rendered = (all: typeof graphs) =>
    all.map((graph) => renderJobGraph(graph, format)).join('\n\n');
  if (format === 'json') {
    report.resultAsJson(data, () => rendered(report.redactor.maskJson(graphs)));
  } else report.result(data, () => rendered(graphs));
}
