/** `fctl compile`: the JobGraphs of an application. */
import { join } from 'node:path';
import { UsageError, problem } from '../../contract/errors.ts';
import { jobGraphSchema } from '../../graph/job-graph-schema.ts';
import { renderJobGraph } from '../../graph/render.ts';
import { bundleApplication } from '../../packaging/bundle.ts';
import { inspectApplication } from '../../packaging/inspect.ts';
import type { CommonOptions, Context } from '../context.ts';
import { parseJsonArgs } from './option-values.ts';

interface CompileFlags extends CommonOptions {
  readonly job?: string;
  readonly args?: string;
  readonly format?: string;
}

const formats = ['text', 'json', 'mermaid', 'schema'] as const;

export async function run(context: Context<CompileFlags>): Promise<void> {
  const { options, report, signal } = context;
  const format = formats.find((known) => known === (options.format ?? 'text'));
  if (!format) {
    throw new UsageError(
      problem({
        code: 'unknown-format',
        message: `'${options.format}' is not a format`,
        hint: formats.join(', '),
      }),
    );
  }
  if (format === 'schema') {
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
  const given = options.args === undefined ? null : parseJsonArgs(options.args, report.redactor);
  const { graphs, incomplete } = await inspectApplication(bundle, {
    args: given ?? args,
    parallelism,
    workingDirectory: projectDir,
    // Arguments that are given with the name of a job are its own.
    compile:
      options.job !== undefined && given !== null
        ? { job: options.job }
        : { executed: options.job ?? null },
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
