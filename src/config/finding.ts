/** Something that is wrong with the merged configuration, before it is known where that is. */
import { type Problem, problem } from '../contract/errors.ts';
import { type Layer, type Part, type Path, pointer } from './layer.ts';

export interface Finding {
  readonly code: string;
  readonly message: string;
  readonly path: Path;
  /** Where to point at. */
  readonly part: Part;
  readonly hint: string | null;
}

/** The finding with its place. A variable or a flag has no position: the message names it. */
export function locateFinding(finding: Finding, locate: Layer['locate']): Problem {
  const { code, message, path, part, hint } = finding;
  const { file, line, column, text, prefix } = locate(path, part);
  const from = file === null && text !== 'default' ? ` (from ${text})` : '';
  return problem({
    code,
    message: message + from,
    path: pointer([...prefix, ...path]),
    file,
    line,
    column,
    hint,
  });
}

/** In the order of the file; what has no place stays behind, in its order. */
export function inOrderOfPlace(problems: readonly Problem[]): Problem[] {
  const rank = ({ line }: Problem) => line ?? Number.MAX_SAFE_INTEGER;
  return problems.toSorted((a, b) => rank(a) - rank(b) || (a.column ?? 0) - (b.column ?? 0));
}
