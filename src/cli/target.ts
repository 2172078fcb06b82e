/**
 * Which cluster, and which process of it, the words of a command line mean.
 *
 * T1  `fctl logs flights` means a cluster. Where a config or a variable names the cluster already,
 *     `fctl logs taskmanager-0` means its process: names of processes have a form of their own.
 * T2  A word that may mean either is not guessed at: a cluster of that name is there, too.
 */
import type { ClusterId } from '../contract/cluster-id.ts';
import { type Problem, UsageError, problem } from '../contract/errors.ts';
import { Role } from '../contract/process-spec.ts';
import type { Context } from './context.ts';

export interface Target {
  readonly clusterId: ClusterId;
  /** `null`: all of them. */
  readonly process: string | null;
}

const processName = new RegExp(`^(?:${Object.values(Role).join('|')})-\\d+$`);

/** Whether it has the form of a process's name: `taskmanager-0`. */
export const isProcessName = (word: string): boolean => processName.test(word);

/**
 * @param given the words for the cluster and the process; one alone may be either (T1).
 * @throws UsageError when it is open what is meant (T2), or no cluster is named.
 */
export async function findTarget(
  context: Context,
  { cluster: word, process }: { readonly cluster: string | null; readonly process: string | null },
): Promise<Target> {
  if (word === null || process !== null || !isProcessName(word)) {
    return { clusterId: await context.clusterId(word), process };
  }
  const own = await context.ownCluster();
  const asCluster = await context.clusterId(word);
  const provider = await context.provider();
  const isCluster = (await provider.observe(asCluster, context)) !== null;
  if (own === null || own === asCluster) {
    if (isCluster) return { clusterId: asCluster, process };
    throw open(word, {
      code: 'cluster-missing',
      message: `'${word}' is the name of a process, and nothing says of which cluster`,
    });
  }
  if (!isCluster) return { clusterId: own, process: word };
  throw open(word, {
    code: 'ambiguous',
    message: `'${word}' may be the process of ${own}, or the cluster of that name`,
  });
}

const open = (word: string, said: Pick<Problem, 'code' | 'message'>) =>
  new UsageError(
    problem({ ...said, hint: `name both: '--cluster ID ${word}' means a process of that cluster` }),
  );
