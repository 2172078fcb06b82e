/** What a deployment tells, for people. */
import { formatBytes } from '../../contract/units.ts';
import type { DeployEvent } from '../../deployment/operation/progress.ts';
import type { TransferProgress } from '../../providers/provider.ts';
import { describeRestore } from '../output/restore.ts';
import type { Progress } from '../output/progress.ts';

export function showDeployEvent(progress: Progress, event: DeployEvent): void {
  switch (event.type) {
    case 'waiting-for-lock':
      return progress.step(`Waiting for ${event.holder} (${event.message})`);
    case 'hook':
      return progress.step(`Running the hook ${event.name}`);
    case 'suspending':
      return progress.step(`Suspending ${event.jobs.join(', ')} with a savepoint`);
    case 'not-suspended':
      return progress.done(`Going on without a savepoint, as allowed: ${event.reason}`);
    case 'restoring':
      for (const entry of event.restore) progress.done(`Restoring ${describeRestore(entry)}`);
      return;
    case 'sending':
      return showTransfer(progress, event.progress);
    case 'uploaded':
      return progress.done(`Uploaded ${event.name} (${formatBytes(event.bytes)})`);
    case 'action':
      return progress.done(`${event.action.kind} ${event.action.process}: ${event.action.reason}`);
    case 'waiting-for-jobmanager':
      return progress.step('Waiting for the JobManager');
    case 'waiting-for-processes':
      return progress.step(`Waiting: ${event.pending}`);
    case 'waiting-for-taskmanagers':
      return progress.step(
        `Waiting for TaskManagers: ${Math.max(0, event.registered)} of ${event.expected}`,
      );
    case 'healthy':
      return progress.done(`The cluster is up: ${event.url}`);
    case 'waiting-for-jobs':
      return progress.step(`Waiting for jobs: ${event.waitsFor}`);
    case 'jobs-run':
      return progress.done('Its jobs run');
    case 'main-runs':
      return progress.done('Its main() runs. Its jobs run: none at the moment');
    case 'rolling-back':
      return progress.done(`Rolling back to release ${event.number} (${event.release})`);
  }
}

function showTransfer(progress: Progress, transfer: TransferProgress): void {
  const { byOther = false, sentBytes, totalBytes, what, where } = transfer;
  const to = where === '' ? '' : ` to ${where}`;
  const share = totalBytes === 0 ? 1 : Math.min(1, sentBytes / totalBytes);
  const doing = byOther ? 'Waiting for another client that sends' : 'Sending';
  progress.transfer(`${byOther} ${what}${to}`, share, () => {
    return `${doing} ${what}${to}: ${Math.floor(100 * share)} % of ${formatBytes(totalBytes)}`;
  });
}
