/** Sends artifacts to the host that needs them. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import type { Artifact } from '../../contract/process-spec.ts';
import type { TransferOptions } from '../provider.ts';
import type { Host } from './host.ts';
import { upload } from './upload.ts';

/** @returns bytes sent. */
export async function sendArtifact(
  host: Host,
  clusterId: ClusterId,
  { file, hash, name, sizeBytes }: Artifact,
  { onProgress, signal }: TransferOptions,
): Promise<number> {
  const report = (sentBytes: number, byOther: boolean) =>
    onProgress({ what: name, where: host.address, sentBytes, totalBytes: sizeBytes, byOther });
  const sending = { name: `${clusterId}-${hash}`, file, sizeBytes, unless: 'false' };
  const options = { dir: host.dir, where: host.address, signal, onSent: report };
  const sent = await upload(await host.connection(), sending, options);
  await host.call('takeArtifact', { clusterId, hash, name, upload: sending.name }, { signal });
  report(sizeBytes, false);
  return sent ?? 0;
}
