/**
 * The audit log of a cluster: who did what, in the cluster's record. What has begun is in it before
 * anything is done, so that what was interrupted is seen, too. The newest entries are kept.
 *
 * A disk that is full keeps nobody from what frees it, or ends what fills it: then there is no entry.
 */
import { randomBytes } from 'node:crypto';
import type { ClusterId } from '../contract/cluster-id.ts';
import { type AuditDocument, type AuditEntry, DocumentName } from '../record/documents.ts';
import { readDocument } from '../record/record.ts';
import { ClusterError, FctlError } from '../contract/errors.ts';
import { ExitCode } from '../contract/exit-codes.ts';
import { FCTL_VERSION } from '../contract/version.ts';
import { Redactor } from '../contract/secrets.ts';
import { type RecordStore, isRecordFull, newestThatFit } from '../record/store.ts';
import { lockHolder } from '../record/lock.ts';
import type { Site } from './site.ts';

const keptEntries = 200;
/** An error message may be long; the log is for knowing that it happened. */
const maxMessage = 500;

/** Oldest first. */
export async function readAudit(store: RecordStore): Promise<readonly AuditEntry[]> {
  const { value } = await readDocument(store, DocumentName.audit);
  return value?.entries ?? [];
}

/** An entry that is in the record. */
interface OpenEntry {
  end(result: AuditEntry['result'], message: string | null): Promise<void>;
  /** The same with what an error says; never rejects, for the error itself is what is told. */
  failed(error: unknown, signal: AbortSignal): Promise<void>;
}

/**
 * @param release what it is about; `null`: none.
 * @param redactor masks secrets in messages.
 */
export async function beginAudit(
  store: RecordStore,
  action: string,
  release: string | null,
  redactor: Pick<Redactor, 'mask'>,
): Promise<OpenEntry> {
  const entry: AuditEntry = {
    id: randomBytes(6).toString('hex'),
    by: lockHolder(),
    fctlVersion: FCTL_VERSION,
    at: Date.now(),
    endedAt: null,
    action,
    release,
    result: null,
    message: null,
  };
  await change(store, (entries) => [...entries, entry]);
  const end: OpenEntry['end'] = (result, message) =>
    change(store, (entries) =>
      entries.map((e) => (e.id === entry.id ? { ...e, message, result, endedAt: Date.now() } : e)),
    );
  return {
    end,
    failed: (error, signal) =>
      end(
        signal.aborted ? 'interrupted' : resultOf(error),
        redactor.mask(describe(error)).slice(0, maxMessage),
      ).catch(() => {}),
  };
}

/**
 * The same for an action on a cluster that somebody else may have deployed, with secrets that are in no config
 * here: what its processes were given is masked, too. It is asked for now, for it may be gone in the end.
 */
export async function beginAuditAt(
  site: Site,
  clusterId: ClusterId,
  action: string,
): Promise<OpenEntry> {
  const { provider, redactor = new Redactor() } = site;
  const [entry, secrets] = await Promise.all([
    beginAudit(provider.record(clusterId), action, null, redactor),
    // Who cannot look has no reason to refuse what was asked for.
    provider.secrets(clusterId, site).catch(() => null),
  ]);
  redactor.add(Object.values(secrets ?? {}).flatMap(textsIn));
  return entry;
}

/** What may be seen of a secret: the text itself, or the texts of a tree that it holds. */
function textsIn(secret: string): string[] {
  try {
    const value: unknown = JSON.parse(secret);
    const isTree = typeof value === 'object' && value !== null;
    return isTree ? Object.values(value).map(String) : [secret];
  } catch {
    return [secret];
  }
}

/** Does something with a cluster, and writes down that and how it went. */
export async function audited<T>(
  site: Site,
  clusterId: ClusterId,
  action: string,
  signal: AbortSignal,
  perform: () => Promise<T>,
): Promise<T> {
  const entry = await beginAuditAt(site, clusterId, action);
  let done: T;
  try {
    done = await perform();
  } catch (error) {
    await entry.failed(error, signal);
    throw error;
  }
  await entry.end('succeeded', null);
  return done;
}

const describe = (error: unknown) =>
  error instanceof FctlError ? error.problems[0]!.message : String(error);

function resultOf(error: unknown): AuditEntry['result'] {
  const refusals: readonly number[] = [ExitCode.conflict, ExitCode.stateWouldBeLost];
  const isRefused = error instanceof ClusterError && refusals.includes(error.exitCode);
  return isRefused ? 'refused' : 'failed';
}

/** Anybody may write here, with or without a lock: whoever was not fast enough repeats it. */
async function change(
  store: RecordStore,
  update: (entries: readonly AuditEntry[]) => readonly AuditEntry[],
): Promise<void> {
  for (;;) {
    const { value, version } = await readDocument(store, DocumentName.audit);
    const newest = update(value?.entries ?? []).slice(-keptEntries);
    const document: AuditDocument = { entries: newestThatFit(newest, store.maxBytes) };
    try {
      if ((await store.write(DocumentName.audit, document, version)) !== null) return;
    } catch (error) {
      if (isRecordFull(error)) return;
      throw error;
    }
  }
}
