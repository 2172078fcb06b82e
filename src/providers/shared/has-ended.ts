/** Whether a cluster has ended, where only its record can tell. */
import {
  DocumentName,
  type EndpointDocument,
  type OutcomeDocument,
} from '../../record/documents.ts';
import { hasOutcome } from '../../record/ended.ts';
import { isRecordDamaged } from '../../record/file-documents.ts';
import type { DocumentStore } from '../provider.ts';

/** Whether its newest JobManager wrote how it ended. */
export async function hasEnded(store: DocumentStore): Promise<boolean> {
  try {
    const [outcome, endpoint] = await Promise.all([
      store.read<OutcomeDocument>(DocumentName.outcome),
      store.read<EndpointDocument>(DocumentName.endpoint),
    ]);
    return hasOutcome({ outcome: outcome.value, endpoint: endpoint.value });
  } catch (error) {
    if (isRecordDamaged(error)) return false; // processes are seen all the same
    throw error;
  }
}
