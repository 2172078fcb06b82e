/**
 * What a host knows of a cluster beside its processes: the document `host`, in the cluster's folder there.
 *
 * H1  `epoch` is the highest epoch of a lock under which something was done here. What comes with a lower
 *     one is refused (provider.ts, V4): so a host refuses too that does not hold the record and its lock.
 * H2  `record` says where the cluster's record lies. Of what several hosts say the highest generation
 *     counts: it grows when the record moves.
 */
import { join } from 'node:path';
import { ClusterError, problem } from '../../../contract/errors.ts';
import { ExitCode } from '../../../contract/exit-codes.ts';
import { readDocument, writeDocument } from '../../../record/file-documents.ts';
import type { ClusterLayout } from '../../local/layout.ts';

/** How to get to a host from anywhere: what the config said of it, without files of the client. */
export interface SavedHost {
  readonly address: string;
  readonly user: string | null;
  readonly port: number | null;
  readonly jump: string | null;
}

export interface RecordPlace {
  readonly host: SavedHost;
  readonly generation: number;
}

export interface HostDocument {
  readonly epoch: number;
  readonly record: RecordPlace | null;
}

const name = 'host';
const folderOf = (layout: ClusterLayout) => join(layout.root, 'host');
const none: HostDocument = { epoch: 0, record: null };

export async function readHostDocument(layout: ClusterLayout): Promise<HostDocument> {
  return (await readDocument<HostDocument>(folderOf(layout), name)).value ?? none;
}

/** @throws ClusterError (exit 8) when something was done here under a newer lock (H1). */
async function change(
  layout: ClusterLayout,
  next: (document: HostDocument) => HostDocument,
): Promise<void> {
  for (;;) {
    const { value, version } = await readDocument<HostDocument>(folderOf(layout), name);
    const document = value ?? none;
    const wanted = next(document);
    if (JSON.stringify(wanted) === JSON.stringify(document)) return;
    if ((await writeDocument(folderOf(layout), name, version, wanted)) !== null) return;
  }
}

/** Called before something is done under a lock (H1). */
export async function enterFence(layout: ClusterLayout, fence: number): Promise<void> {
  await change(layout, (document) => {
    if (document.epoch > fence) throw overtaken(document.epoch, fence);
    return { ...document, epoch: fence };
  });
}

/** Notes where the record lies, unless something newer is known (H2). */
export async function noteRecord(layout: ClusterLayout, record: RecordPlace): Promise<void> {
  await change(layout, (document) =>
    (document.record?.generation ?? 0) >= record.generation ? document : { ...document, record },
  );
}

function overtaken(epoch: number, fence: number): ClusterError {
  return new ClusterError(
    ExitCode.conflict,
    problem({
      code: 'lock-lost',
      message: `somebody else took over the cluster: this host has seen lock ${epoch}, this deployment holds ${fence}`,
      hint: "'fctl status' shows what is true now",
    }),
  );
}
