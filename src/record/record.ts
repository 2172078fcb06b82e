/**
 * The one reader of a cluster's record: whether it has ended, who leads it, which release is its current one.
 * Nobody else puts these answers together from documents.
 */
import type { Call } from '../contract/call.ts';
import type { Problem } from '../contract/errors.ts';
import { ApplicationStatus } from '../contract/outcome.ts';
import {
  type ClusterDocument,
  DocumentName,
  type Documents,
  type EndpointDocument,
  type LockDocument,
  type OutcomeDocument,
  type ReleaseEntry,
} from './documents.ts';
import { type RecordReader, type StoredDocuments, type Version, isRecordDamaged } from './store.ts';

/** A document, and the version to name when replacing it. */
export interface Versioned<T> {
  /** `null`: it is not there. */
  readonly value: T | null;
  /** `null`: it is not there. */
  readonly version: Version | null;
  /** How long ago it was written, by the clock of where it lies; `null`: nobody knows. */
  readonly ageMs: number | null;
}

/** One document by itself. @throws ProviderError `record-damaged`. */
export async function readDocument<N extends DocumentName>(
  store: RecordReader,
  name: N,
  call?: Partial<Call>,
): Promise<Versioned<Documents[N]>> {
  return documentIn(await store.read([name], call), name);
}

const absent: Versioned<never> = { value: null, version: null, ageMs: null };

function documentIn<N extends DocumentName>(
  documents: StoredDocuments,
  name: N,
): Versioned<Documents[N]> {
  return (documents.get(name) as Versioned<Documents[N]> | undefined) ?? absent;
}

/** The JobManager that leads. */
export interface Leader {
  /** `jobmanager-1/3fa94c01`: this start of it. */
  readonly resourceId: string;
  /** `jobmanager-1` */
  readonly process: string;
  readonly epoch: number;
}

/** How the runs of a cluster follow each other. */
export interface Runs {
  /** Oldest first. */
  readonly releases: readonly ReleaseEntry[];
  /** The release that was recorded last; `null`: none was. */
  readonly currentRelease: ReleaseEntry | null;
  readonly endpoint: EndpointDocument | null;
  /** How the newest run that has ended did. */
  readonly outcome: OutcomeDocument | null;
  /** Whether the newest JobManager has suspended its jobs: they go on under another one. */
  readonly isSuspended: boolean;
  /** The newest one that is known; 0: there was no JobManager yet. */
  readonly epoch: number;
  /** Who leads by what is recorded last, whether or not it answers; `null`: nobody, or the run is over. */
  readonly leader: Leader | null;
  /** Whether the newest JobManager wrote how it ended, be it of the current release or of an earlier one. */
  readonly isOver: boolean;
  /**
   * Whether the current release has its outcome. A deployment is in the record before its processes start,
   * so that the outcome of the run before is never taken for this one's.
   */
  readonly isReleaseOver: boolean;
  /** Whether a deployment that another JobManager follows was recorded since an epoch began. */
  readonly hasSuccessor: (epoch: number) => boolean;
  /** For replacing a document that was read here; `null`: it is not there. */
  readonly versionOf: (name: DocumentName) => Version | null;
}

export interface ClusterRecord extends Runs {
  readonly cluster: ClusterDocument | null;
  readonly lock: LockDocument | null;
  /** Of the format, and of what its cluster speaks; `null`: no cluster is described. */
  readonly protocol: number | null;
}

const namesOfRuns = [DocumentName.releases, DocumentName.endpoint, DocumentName.outcome];

/**
 * Only what tells how runs follow each other: for whoever asks often, or reads what a JobManager shows.
 * @throws ProviderError `record-damaged`.
 */
export async function readRuns(store: RecordReader, call?: Partial<Call>): Promise<Runs> {
  return runsIn(await store.read(namesOfRuns, call));
}

/**
 * One snapshot of all but the jobs and the audit log, which may be long.
 * @throws ProviderError `record-damaged`.
 */
export async function readRecord(
  store: RecordReader,
  call?: Partial<Call>,
): Promise<ClusterRecord> {
  const documents = await store.read(
    [DocumentName.cluster, DocumentName.lock, ...namesOfRuns],
    call,
  );
  const cluster = documentIn(documents, DocumentName.cluster).value;
  return {
    ...runsIn(documents),
    cluster,
    lock: documentIn(documents, DocumentName.lock).value,
    protocol: cluster?.protocol ?? null,
  };
}

function runsIn(documents: StoredDocuments): Runs {
  const releases = documentIn(documents, DocumentName.releases).value?.releases ?? [];
  const endpoint = documentIn(documents, DocumentName.endpoint).value;
  const written = documentIn(documents, DocumentName.outcome).value;
  const outcome = endIn(written);
  const currentRelease = releases.at(-1) ?? null;
  const isOver = outcome !== null && outcome.epoch >= (endpoint?.epoch ?? 0);
  return {
    releases,
    currentRelease,
    endpoint,
    outcome,
    isSuspended: outcome === null && written !== null && written.epoch >= (endpoint?.epoch ?? 0),
    epoch: Math.max(endpoint?.epoch ?? 0, written?.epoch ?? 0),
    leader: isOver ? null : leaderOf(endpoint),
    isOver,
    isReleaseOver: isOver && outcome.epoch > (currentRelease?.afterEpoch ?? Infinity),
    hasSuccessor: (epoch) => (currentRelease?.afterEpoch ?? -1) >= epoch,
    versionOf: (name) => documents.get(name)?.version ?? null,
  };
}

/** Being suspended is no end. */
const endIn = (outcome: OutcomeDocument | null): OutcomeDocument | null =>
  outcome?.status === ApplicationStatus.suspended ? null : outcome;

/** How the newest run that has ended did, by itself: for whoever waits for it. */
export async function readEnd(store: RecordReader): Promise<OutcomeDocument | null> {
  return endIn((await readDocument(store, DocumentName.outcome)).value);
}

/** Who wrote an endpoint document; `null`: there is none that says so. */
export function leaderOf(endpoint: EndpointDocument | null): Leader | null {
  if (endpoint === null) return null;
  const { epoch, jobmanager } = endpoint as Partial<EndpointDocument>; // whoever wrote it
  if (epoch === undefined || jobmanager === undefined) return null;
  const { resourceId } = jobmanager;
  return { resourceId, process: resourceId.split('/')[0]!, epoch };
}

/** What is wrong with the record; `null`: nothing, and `read` gives what it holds. */
export type Readable<T> =
  | { readonly damage: null; readonly read: T }
  | { readonly damage: Problem };

/** For whoever goes on without what is damaged: `{ damage }` in place of a rejection. */
export async function orDamage<T>(reading: Promise<T>): Promise<Readable<T>> {
  try {
    return { damage: null, read: await reading };
  } catch (error) {
    if (!isRecordDamaged(error)) throw error;
    return { damage: error.problems[0]! };
  }
}

/** Whether the newest run is over; not so where the record is damaged: processes are seen all the same. */
export async function isOver(store: RecordReader): Promise<boolean> {
  const runs = await orDamage(readRuns(store));
  return runs.damage === null && runs.read.isOver;
}

/** Why a cluster has no record that says what it is, for people; `null`: it has one. */
export async function whyNoRecord(store: RecordReader): Promise<string | null> {
  const found = await orDamage(readDocument(store, DocumentName.cluster));
  if (found.damage !== null) return 'a cluster whose record is damaged';
  return found.read.value === null ? 'a cluster without a record' : null;
}
