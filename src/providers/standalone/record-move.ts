/**
 * Moves a cluster's record, with its lock, to the host of its new JobManager.
 *
 * V1  The JobManager of the old place has been ended before: nobody else writes but through the lock, which
 *     the caller holds.
 * V2  The old place decides: once it says that the record is elsewhere, it is. Before that the copy counts
 *     for nothing; after that the copy is whole. A lock that changed meanwhile is copied again.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { DocumentName } from '../../record/documents.ts';
import { versionIn } from '../../record/drivers/file.ts';
import { ProviderError, problem } from '../../contract/errors.ts';
import type { RecordPlace } from './agent/host-document.ts';
import type { RecordFiles } from './agent/requests.ts';
import type { Host } from './host.ts';

const attempts = 5;

export async function moveRecord(
  clusterId: ClusterId,
  fence: number,
  from: { readonly host: Host; readonly place: RecordPlace },
  to: Host,
): Promise<RecordPlace> {
  const record = { host: to.saved, generation: from.place.generation + 1 };
  for (let attempt = 0; attempt < attempts; attempt++) {
    const files = await from.host.call<RecordFiles>('recordFiles', { clusterId });
    await to.call('adoptRecord', { clusterId, fence, files });
    const lockVersion = versionIn(Object.keys(files), DocumentName.lock);
    const left = await from.host.call<boolean>('leaveRecord', {
      clusterId,
      fence,
      lockVersion,
      record,
    }); // V2
    if (!left) continue;
    await to.call('noteRecord', { clusterId, record });
    return record;
  }
  throw new ProviderError(
    problem({
      code: 'record-busy',
      message: `the record of ${clusterId} on ${from.host.address} changes all the time: it could not be moved to ${to.address}`,
      hint: 'repeat the command',
    }),
  );
}
