/** Parameters and answers of the agent's methods. */
import type { ClusterId } from '../../../contract/cluster-id.ts';
import type { ProcessSpec } from '../../../contract/process-spec.ts';
import type { DocumentName, EndpointDocument } from '../../../record/documents.ts';
import type { StoredDocument, Version } from '../../../record/store.ts';
import type { LogOptions, ObservedProcess } from '../../provider.ts';
import type { Place } from '../../shared/render.ts';
import type { UnitOptions } from './units.ts';
import type { HostDocument, RecordPlace } from './host-document.ts';

export interface OfCluster {
  readonly clusterId: ClusterId;
}

export interface Read extends OfCluster {
  /** `null`: all documents. */
  readonly names: readonly DocumentName[] | null;
  /** Of the record's place, as the client knows it. */
  readonly generation: number;
}

/** `moved`: the record is not there any more. */
export type ReadAnswer = readonly (readonly [string, StoredDocument])[] | 'moved';

export interface Write extends OfCluster {
  readonly name: DocumentName;
  readonly value: unknown;
  readonly expected: Version | null;
  /** Where the client thinks that the record is: here. */
  readonly record: RecordPlace;
}

export type WriteAnswer = { readonly version: Version | null } | 'moved';

export interface Endpoint {
  readonly document: EndpointDocument;
  readonly secrets: Readonly<Record<string, string>> | null;
}

export interface HasArtifact extends OfCluster {
  readonly hash: string;
}

export interface TakeArtifact extends HasArtifact {
  readonly name: string;
  /** The file below `uploads/`. */
  readonly upload: string;
}

export interface Stop extends OfCluster {
  readonly process: string;
  /** As in `ClusterSpec`. */
  readonly transient: boolean;
  readonly fence: number;
  /** `null`: there is none. */
  readonly record: RecordPlace | null;
}

export interface Start extends Stop {
  readonly index: number;
  readonly spec: ProcessSpec;
  readonly secrets: Readonly<Record<string, string>>;
  /** `recordUrl: null`: the record lies on this host. */
  readonly place: Omit<Place, 'recordUrl'> & { readonly recordUrl: string | null };
  /** Hash of the runtime to start it with. */
  readonly runtime: string;
  /** `null`: not as a unit of systemd. */
  readonly unit: UnitOptions | null;
}

export interface Logs extends OfCluster {
  readonly process: string;
  readonly options: Omit<LogOptions, 'signal'>;
}

export interface Exec extends OfCluster {
  readonly process: string;
  readonly command: readonly string[];
  readonly hasInput: boolean;
}

export interface Destroy extends OfCluster {
  readonly fence: number | null;
}

export interface FreePort {
  readonly bind: string;
  /** Tried first; 0: any. */
  readonly wanted: number;
}

/** Files of a record by name. */
export type RecordFiles = Readonly<Record<string, string>>;

export interface AdoptRecord extends OfCluster {
  readonly fence: number;
  readonly files: RecordFiles;
}

export interface NoteRecord extends OfCluster {
  readonly record: RecordPlace;
}

export interface LeaveRecord extends NoteRecord {
  readonly fence: number;
  /** Of the lock, as it was copied. */
  readonly lockVersion: Version | null;
}

/** What there is of a cluster on one host. */
export interface HostView {
  /** Whether there is anything. */
  readonly folder: boolean;
  readonly host: HostDocument;
  readonly hasRecord: boolean;
  /** Whether the record says what the cluster is. */
  readonly described: boolean;
  /** Whether the record says that the newest JobManager has ended. */
  readonly ended: boolean;
  /** The document `placement`, where the record is; else `null`. */
  readonly placement: unknown;
  readonly processes: readonly {
    readonly observed: ObservedProcess;
    readonly place: Place | null;
  }[];
}
