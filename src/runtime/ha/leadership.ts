/**
 * Which JobManager leads the cluster: the one whose endpoint is in the record.
 *
 * L1  An epoch is used by one JobManager at most: it is taken by writing the endpoint document, which
 *     succeeds for one of those that saw the same version.
 * L2  Epochs grow over outcomes too, so that the end of an earlier run is never taken for this one's.
 * L3  Who finds another leader's endpoint has lost for good. It writes nothing more.
 */
import {
  DocumentName,
  type EndpointDocument,
  type OutcomeDocument,
  PROTOCOL_VERSION,
} from '../../record/documents.ts';
import { readDocument, readRuns } from '../../record/record.ts';
import { type RecordStore, newestThatFit } from '../../record/store.ts';

/** Another JobManager leads. */
export class LeadershipLostError extends Error {
  readonly epoch: number;
  readonly otherEpoch: number;

  constructor(epoch: number, otherEpoch: number) {
    super(`another JobManager leads the cluster: its epoch is ${otherEpoch}, this one's ${epoch}`);
    this.name = 'LeadershipLostError';
    this.epoch = epoch;
    this.otherEpoch = otherEpoch;
  }
}

/** Before anything is published: what this JobManager will be, if nobody is faster. */
export interface Candidacy {
  readonly epoch: number;
  /** @throws LeadershipLostError when another JobManager was faster. */
  lead(endpoint: Pick<EndpointDocument, 'rest' | 'rpc' | 'jobmanager'>): Promise<Leadership>;
}

export interface Leadership {
  readonly epoch: number;
  /** @throws LeadershipLostError (L3). */
  check(): Promise<void>;
  /**
   * Writes how the cluster ended, once per epoch: a repetition changes nothing. Of very many jobs the newest
   * are named, as many as a document has room for.
   * @throws LeadershipLostError (L3).
   */
  writeOutcome(outcome: Omit<OutcomeDocument, 'protocol' | 'epoch'>): Promise<void>;
}

export async function standForLeadership(record: RecordStore): Promise<Candidacy> {
  const { versionOf, ...runs } = await readRuns(record);
  const epoch = runs.epoch + 1; // L2
  return {
    epoch,
    lead: async (published) => {
      const document: EndpointDocument = { protocol: PROTOCOL_VERSION, epoch, ...published };
      const version = await record.write(
        DocumentName.endpoint,
        document,
        versionOf(DocumentName.endpoint),
      ); // L1
      const leadership = createLeadership(record, epoch);
      if (version === null) await leadership.check();
      if (version === null) throw new LeadershipLostError(epoch, epoch);
      return leadership;
    },
  };
}

function createLeadership(record: RecordStore, epoch: number): Leadership {
  const check = async () => {
    const { value } = await readDocument(record, DocumentName.endpoint);
    if (value !== null && value.epoch > epoch) throw new LeadershipLostError(epoch, value.epoch);
  };
  return {
    epoch,
    check,
    writeOutcome: async (outcome) => {
      for (;;) {
        await check();
        const { value, version } = await readDocument(record, DocumentName.outcome);
        if (value !== null && value.epoch > epoch)
          throw new LeadershipLostError(epoch, value.epoch);
        if (value?.epoch === epoch) return;
        const document = fitting(
          { protocol: PROTOCOL_VERSION, ...outcome, epoch },
          record.maxBytes,
        );
        if ((await record.write(DocumentName.outcome, document, version)) !== null) return;
      }
    },
  };
}

function fitting(outcome: OutcomeDocument, maxBytes: number): OutcomeDocument {
  const others = Buffer.byteLength(JSON.stringify({ ...outcome, jobs: [] }));
  return { ...outcome, jobs: newestThatFit(outcome.jobs, maxBytes - others) };
}
