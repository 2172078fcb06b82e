/**
 * Refuses paths that no process can use, and local ones that the processes of a cluster would each see
 * differently, before anything is done.
 * What the definition of a job names is known; of an application with `main()` only its arguments are, so
 * the JobManager looks again at the jobs that it gets.
 */
import { type Origin, type Path, pointer } from '../config/layer.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import { type Problem, problem } from '../contract/errors.ts';
import type { JsonValue } from '../contract/json.ts';
import { isSharedPath, looksLocal } from '../contract/shared-storage.ts';
import { filePathsOf } from '../graph/file-paths.ts';
import type { JobGraph } from '../graph/job-graph.ts';
import { locationProblem } from '../storage/open.ts';

export interface StorageQuestion {
  readonly config: ResolvedConfig;
  readonly hasMain: boolean;
  /** Of the jobs that are known before they run. */
  readonly graphs: readonly JobGraph[];
  /** Where in the config a value came from. */
  readonly originOf: (path: Path) => Origin;
}

/** Paths that are none, and addresses that this version has no file system for. */
export function findUnusablePaths(question: StorageQuestion): Problem[] {
  const { config, graphs } = question;
  const texts = config.application === null ? [] : argumentsOf(config.application);
  return graphs.flatMap(filePathsOf).flatMap(({ operator, path, use }) => {
    const why = locationProblem(path);
    if (why === null) return [];
    const argument = texts.find(({ text }) => text === path)?.path ?? null;
    const message = `the ${use} '${path}' of '${operator}' ${why}`;
    return [problem({ code: 'path-not-usable', message, ...place(argument, question) })];
  });
}

const argumentsOf = ({ args }: { readonly args: JsonValue }) =>
  textsOf(args, ['application', 'args']);

/** Where a problem is; `null`: nobody knows. */
function place(path: Path | null, { originOf }: StorageQuestion) {
  const at = path === null ? null : nearest(path, originOf);
  return {
    path: path === null ? null : pointer(path),
    file: at?.file ?? null,
    line: at?.line ?? null,
    column: at?.column ?? null,
  };
}

export function findUnsharedPaths(question: StorageQuestion): Problem[] {
  const { config, graphs, hasMain } = question;
  const { application, provider, storage } = config;
  if (application === null) return [];
  const texts = argumentsOf(application);
  const secret = new Set(application.secretArgs.map((below) => `/application/args${below}`));
  const tell = (path: Path | null, what: string): Problem =>
    problem({
      code: 'path-not-shared',
      message: `${what} is a local path, which each process of a cluster on provider ${provider} would see differently`,
      ...place(path, question),
      hint: "put it below a path that all of them see, and name that in 'storage.shared'",
    });
  const used = graphs
    .flatMap(filePathsOf)
    .filter(({ path }) => locationProblem(path) === null && !isSharedPath(path, storage.shared));
  const byJobs = used.map(({ operator, path, use }) => {
    const argument = texts.find(({ text }) => text === path)?.path ?? null;
    return tell(argument, `the ${use} '${path}' of '${operator}'`);
  });
  if (!hasMain) return byJobs;
  const byArguments = texts
    .filter(({ path }) => !secret.has(pointer(path)))
    .filter(({ text }) => looksLocal(text) && !isSharedPath(text, storage.shared))
    .map(({ path, text }) => tell(path, `'${text}'`));
  return [...byJobs, ...byArguments];
}

/** The place of the value, or of the list that it is in: items of lists have none of their own. */
function nearest(path: Path, originOf: StorageQuestion['originOf']): Origin {
  const at = originOf(path);
  return at.text === 'default' && path.length > 1 ? nearest(path.slice(0, -1), originOf) : at;
}

interface Text {
  readonly path: Path;
  readonly text: string;
}

function textsOf(value: JsonValue, path: Path): Text[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (value === null || typeof value !== 'object') return [];
  const inner: [string | number, JsonValue][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return inner.flatMap(([key, item]) => textsOf(item, [...path, key]));
}
