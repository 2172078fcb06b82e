/** `fctl compile`: the JobGraphs of an application. */
import { join } from 'node:path';
import { UsageError, problem } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import { renderJobGraph } from '../../graph/render.ts';
import { bundleApplication } from '../../packaging/bundle.ts';
import { inspectApplication } from '../../packaging/inspect.ts';
import type { CommonOptions, Context } from '../context.ts';

interface CompileFlags extends CommonOptions {
  readonly job?: string;
  readonly args?: string;
  readonly format?: string;
}

const formats = ['text', 'json', 'mermaid'] as const;

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
  const { config } = await context.config({ application: true });
  const { entry, args, parallelism } = config.application!;
  const { projectDir } = config;
  const bundle = await bundleApplication({
    entry,
    projectDir,
    cacheDir: join(context.place.cacheDir, 'bundles'),
  });
  const { graphs } = await inspectApplication(bundle, {
    args: options.args === undefined ? args : parseArgs(options.args),
    parallelism,
    compile: options.job === undefined ? { jobs: 'all' } : { job: options.job },
    script: join(context.place.runtimeDir, 'inspect.js'),
    signal,
  });
  report.result({ bundleHash: bundle.hash, graphs }, () =>
    graphs.map((graph) => renderJobGraph(graph, format)).join('\n\n'),
  );
}

function parseArgs(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return value as JsonObject;
  } catch {
    // told below
  }
  throw new UsageError(
    problem({
      code: 'args-not-json',
      message: `--args is not a JSON object: ${text}`,
      hint: `for example --args '{"input":"a.csv"}'`,
    }),
  );
}
