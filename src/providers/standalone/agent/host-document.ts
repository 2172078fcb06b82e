/**
 * What a host knows of a cluster beside its processes: the document `host`, in the cluster's folder there.
 *
 * H1  `epoch` is the highest epoch of a lock under which something was done here. What comes with a lower
 *     one is refused (provider.ts, V4): so a host refuses too that does not hold the record and its lock.
 * H2  `record` says where the cluster's record lies. Of what several hosts say the highest generation
 *     counts: it grows when the record moves.
 */
import { join } from 'node:path';
import { createFileStore } from '../../../record/drivers/file.ts';
import { lockLost } from '../../../record/fence.ts';
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
const storeOf = (layout: ClusterLayout) => createFileStore(join(layout.root, 'host'));
const none: HostDocument = { epoch: 0, record: null };

export async function readHostDocument(layout: ClusterLayout): Promise<HostDocument> {
  const found = (await storeOf(layout).read([name])).get(name);
  return (found?.value as HostDocument | undefined) ?? none;
}

/** @throws ClusterError (exit 8) when something was done here under a newer lock (H1). */
async function change(
  layout: ClusterLayout,
  next: (document: HostDocument) => HostDocument,
): Promise<void> {
  const store = storeOf(layout);
  for (;;) {
    const found = (await store.read([name])).get(name);
    const document = (found?.value as HostDocument | undefined) ?? none;
    const wanted = next(document);
    if (JSON.stringify(wanted) === JSON.stringify(document)) return;
    if ((await store.write(name, wanted, found?.version ?? null)) !== null) return;
  }
}

/** Called before something is done under a lock (H1). */
export async function enterFence(layout: ClusterLayout, fence: number): Promise<void> {
  await change(layout, (document) => {
    if (document.epoch > fence) {
      throw lockLost(
        `somebody else took over the cluster: this host has seen lock ${document.epoch}, this deployment holds ${fence}`,
      );
    }
    return { ...document, epoch: fence };
  });
}

/** Notes where the record lies, unless something newer is known (H2). */
export async function noteRecord(layout: ClusterLayout, record: RecordPlace): Promise<void> {
  await change(layout, (document) =>
    (document.record?.generation ?? 0) >= record.generation ? document : { ...document, record },
  );
}
