/** The files and folders that a job reads and writes, as its definition names them. */
import type { JobGraph } from './job-graph.ts';

export interface FilePath {
  readonly path: string;
  readonly use: 'input' | 'output';
  /** `Source: flights` */
  readonly operator: string;
}

export function filePathsOf(graph: JobGraph): FilePath[] {
  const operators = graph.vertices.flatMap((vertex) => vertex.operators);
  return operators.flatMap(({ committer, enumerator, name }) => [
    ...pathOf(enumerator).map((path) => ({ path, use: 'input' as const, operator: name })),
    ...pathOf(committer).map((path) => ({ path, use: 'output' as const, operator: name })),
  ]);
}

function pathOf(spec: { readonly kind: string; readonly options: object } | null): string[] {
  if (spec?.kind !== 'files') return [];
  const { path } = spec.options as { readonly path?: unknown };
  return typeof path === 'string' ? [path] : [];
}
