/** What a job of an application goes on from, as the record, a plan and an engine know it. */
export interface RestoreEntry {
  /** Which `execute` of `main()` goes on from it, 0-based. */
  readonly executeIndex: number;
  /** The job whose state it is; the one that goes on from it may have another id. */
  readonly jobId: string;
  /** Of that job, for people. */
  readonly name: string;
  /** A folder of its own: what lies in it is what the job left. */
  readonly directory: string;
  /** `null`: nobody has looked yet what the job left in `directory`, or it has left nothing yet. */
  readonly path: string | null;
  readonly kind: 'savepoint' | 'checkpoint';
}

/** One that a job can begin from. */
export type KnownRestore = RestoreEntry & { readonly path: string };

export const isKnown = (entry: RestoreEntry): entry is KnownRestore => entry.path !== null;
