/** Failures of a job in the shapes of Flink's REST API. Pure. */
import type { JobExceptions } from '../../../contract/rest.ts';
import type { ExceptionView, JobView } from '../../jobmanager/cluster-view.ts';
import { taskManagerRestId } from './task-manager.ts';

/**
 * Newest first.
 * @param labels only failures with all of these labels. There are no labels yet, so any leaves nothing.
 */
export function jobExceptions(
  { exceptions }: JobView,
  maxExceptions: number,
  labels: ReadonlyMap<string, string>,
): JobExceptions {
  const entries = exceptions
    .toReversed()
    .map(exceptionEntry)
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
    concurrentExceptions: [],
  };
}

/** `TypeError` of `TypeError: x is not a function`. */
export function exceptionName(text: string): string {
  return /^(?:Uncaught )?([A-Za-z_$][\w$.]*(?:Error|Exception))\b/.exec(text)?.[1] ?? 'Error';
}
