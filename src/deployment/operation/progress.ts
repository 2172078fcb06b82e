/** What a long operation tells while it runs. The CLI shows it; nothing depends on it. */
import type { Action } from '../../contract/plan.ts';
import type { RestoreEntry } from '../../contract/restore.ts';
import type { TransferProgress } from '../../providers/provider.ts';

export type DeployEvent =
  | { readonly type: 'waiting-for-lock'; readonly holder: string; readonly message: string }
  | { readonly type: 'hook'; readonly name: string }
  | { readonly type: 'sending'; readonly progress: TransferProgress }
  | { readonly type: 'uploaded'; readonly name: string; readonly bytes: number }
  /** By the names of the jobs. */
  | { readonly type: 'suspending'; readonly jobs: readonly string[] }
  /** Jobs go on from their last checkpoint, or from nothing, as was allowed. */
  | { readonly type: 'not-suspended'; readonly reason: string }
  | { readonly type: 'restoring'; readonly restore: readonly RestoreEntry[] }
  | { readonly type: 'action'; readonly action: Action }
  | { readonly type: 'waiting-for-jobmanager' }
  /** Which processes have not started, and why, in words. */
  | { readonly type: 'waiting-for-processes'; readonly pending: string }
  | {
      readonly type: 'waiting-for-taskmanagers';
      readonly registered: number;
      readonly expected: number;
    }
  | { readonly type: 'healthy'; readonly url: string }
  | { readonly type: 'waiting-for-jobs'; readonly waitsFor: string }
  | { readonly type: 'jobs-run' }
  /** And no job does: it has executed none yet, or all have ended. */
  | { readonly type: 'main-runs' }
  | { readonly type: 'rolling-back'; readonly number: number; readonly release: string };

export type OnDeployEvent = (event: DeployEvent) => void;
