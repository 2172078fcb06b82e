/**
 * Enumerators and committers by the `kind` that travels in a JobGraph. They run on the JobManager, where
 * no user code runs. What is heavy is loaded when it is used.
 */
import type { CommitterSpec, SinkCommitter } from '../api/sink.ts';
import type { EnumeratorSpec, SplitEnumerator } from '../api/source.ts';
import { absoluteLocation } from '../storage/open.ts';
import { createCollectCommitter } from './collect/committer.ts';
import { createRangeEnumerator } from './generator/enumerator.ts';

export interface CoordinatorContext {
  /** Relative paths are relative to this folder. */
  readonly workingDirectory: string;
  readonly jobId: string;
  /** Of the JobManager that runs it; each that takes the job over has a higher one. */
  readonly epoch: number;
}

/** @throws Error for a kind that this version does not know. */
export async function createEnumerator(
  spec: EnumeratorSpec,
  context: CoordinatorContext,
): Promise<SplitEnumerator> {
  switch (spec.kind) {
    case 'ranges':
      return createRangeEnumerator(spec.options);
    case 'files': {
      const { createFileEnumerator } = await import('./files/enumerator.ts');
      return createFileEnumerator(spec.options, context.workingDirectory);
    }
    default:
      throw new Error(`this version knows no source of kind '${spec.kind}'`);
  }
}

/** Where a sink publishes, for people; `null` where that is no place. */
export function outputOf(
  { kind, options }: CommitterSpec,
  { workingDirectory }: Pick<CoordinatorContext, 'workingDirectory'>,
): string | null {
  return kind === 'files' ? absoluteLocation(options['path'] as string, workingDirectory) : null;
}

/** @throws Error for a kind that this version does not know. */
export async function createCommitter(
  spec: CommitterSpec,
  context: CoordinatorContext,
): Promise<SinkCommitter> {
  switch (spec.kind) {
    case 'collect':
      return createCollectCommitter();
    case 'files': {
      const { createFileCommitter } = await import('./files/committer.ts');
      return createFileCommitter(spec.options, context);
    }
    default:
      throw new Error(`this version knows no sink of kind '${spec.kind}'`);
  }
}
