/** What the exit codes mean, for `--help` and for the reference. */
import { ExitCode } from '../contract/exit-codes.ts';

export const exitCodeMeanings: Readonly<Record<keyof typeof ExitCode, string>> = {
  done: 'done',
  bug: 'a bug of fctl',
  usage: 'wrong command line',
  configInvalid: 'the configuration or the application is invalid; nothing was touched',
  providerNotUsable: 'the provider is not usable (preflight); nothing was touched',
  deploymentFailed: 'the deployment failed',
  jobFailed: 'the job or application failed or was cancelled',
  notFound: 'not found',
  conflict: 'locked, or conflicting with the state of the cluster',
  stateWouldBeLost: 'refused because state would be lost',
  outputNotWritable:
    'the results could not be written to stdout, for its disk is full, for example',
  timedOut: 'timed out (`--timeout`)',
  execFailed: "`exec` itself failed; other codes of `exec` are the command's",
  hungUp: 'the terminal was closed (SIGHUP)',
  interrupted: 'interrupted (Ctrl-C), or a question was answered with no',
  terminated: 'ended by SIGTERM',
};

export const exitCodesInShort = `Exit codes: 0 done, 1 bug, 2 usage, 3 config invalid, 4 provider not usable, 5 deployment failed,
6 job failed, 7 not found, 8 locked or conflicting, 9 refused because state would be lost,
74 stdout not writable, 124 timed out, 125 exec itself failed, 129 terminal closed, 130 interrupted or declined, 143 terminated.`;
