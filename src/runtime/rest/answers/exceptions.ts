/** Failures of a job in the shapes of Flink's REST API. Pure. */
import type { JobExceptions } from '../../../contract/rest.ts';
import type { ExceptionView, JobView } from '../../jobmanager/views/cluster-view.ts';
import { taskManagerRestId } from './task-manager.ts';

/**
 * Newest first: why each attempt failed, with what else failed then.
 * @param labels only failures with all of these labels. There are no labels yet, so any leaves nothing.
 */
export function jobExceptions(
  { exceptions }: JobView,
  maxExceptions: number,
  labels: ReadonlyMap<string, string>,
): JobExceptions {
  const entries = byAttempt(exceptions)
    .map(([root, ...others]) => ({
      ...exceptionEntry(root!),
      concurrentExceptions: others.map(exceptionEntry),
    }))
    .toReversed()
    .filter(({ failureLabels }) =>
      [...labels].every(([key, value]) => failureLabels[key] === value),
    );
  return {
    exceptionHistory: {
      entries: entries.slice(0, maxExceptions),
      truncated: entries.length > maxExceptions,
    },
  };
}

/** Oldest first. Those of which no attempt is known stand alone. */
function byAttempt(exceptions: readonly ExceptionView[]): ExceptionView[][] {
  const groups: ExceptionView[][] = [];
  for (const exception of exceptions) {
    const last = groups.at(-1);
    const isSame = exception.attempt !== null && last?.[0]?.attempt === exception.attempt;
    if (isSame) last?.push(exception);
    else groups.push([exception]);
  }
  return groups;
}

function exceptionEntry({ failure, host, taskManager, timestamp }: ExceptionView) {
  const stacktrace = failure.stack ?? failure.message;
  const failureLabels: Readonly<Record<string, string>> = {};
  return {
    exceptionName: exceptionName(stacktrace),
    stacktrace,
    timestamp,
    failureLabels,
    ...(failure.task === null ? {} : { taskName: failure.task }),
    ...(host === null ? {} : { endpoint: host }),
    ...(taskManager === null ? {} : { taskManagerId: taskManagerRestId(taskManager) }),
  };
}

/** `TypeError` of `TypeError: x is not a function`. */
export function exceptionName(text: string): string {
  return /^(?:Uncaught )?([A-Za-z_$][\w$.]*(?:Error|Exception))\b/.exec(text)?.[1] ?? 'Error';
}
