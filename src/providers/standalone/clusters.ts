/**
 * Finds what there is of a cluster on all hosts, and its record.
 *
 * F1  The record lies on one host. Every host that has something of the cluster says where (host-document.ts,
 *     H2); what the highest generation says counts. So it is found when only one of them is in the config.
 * F2  What hosts say that did not answer is not known: the view names them.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { DocumentName, type LockDocument } from '../../record/documents.ts';
import { type Problem, ProviderError } from '../../contract/errors.ts';
import {
  MAX_DOCUMENT_BYTES,
  type RecordStore,
  type StoredDocument,
  type StoredDocuments,
  type Version,
} from '../../record/store.ts';
import { Role } from '../../contract/process-spec.ts';
import type { RecordPlace } from './agent/host-document.ts';
import type { HostView, ReadAnswer, Write, WriteAnswer } from './agent/requests.ts';
import type { Host } from './host.ts';
import type { Hosts } from './hosts.ts';
import { type Candidate, type Placement, hostFor, parsePlacement } from './placement.ts';

/** Of a lock that is in no record any more: who replaces it writes the first one. */
const goneVersion: Version = 'gone';

export interface ClusterView {
  /** Of hosts that have something of the cluster. */
  readonly views: ReadonlyMap<Host, HostView>;
  /** Hosts that did not answer, with the reason (F2). */
  readonly silent: ReadonlyMap<Host, Error>;
  /** Where the record lies, if anybody knows; whether that host answered is not said. */
  readonly record: { readonly host: Host; readonly generation: number } | null;
  /** Of the record; empty where it could not be read. */
  readonly placement: Placement;
  /** The highest epoch of a lock that was seen anywhere. */
  readonly epoch: number;
}

export class Clusters {
  readonly #hosts: Hosts;
  readonly #candidates: readonly Candidate[];
  readonly #explain: () => Promise<readonly Problem[]>;
  /** Where records were found, so that not every document asks all hosts. */
  readonly #records = new Map<string, RecordPlace>();
  /** Who asks for a record at the same time asks all hosts once. */
  readonly #finding = new Map<string, Promise<ClusterView>>();
  /** While a record moves nobody reads or writes it. */
  readonly #moving = new Map<string, Promise<unknown>>();

  /** @param explain everything that is wrong with the hosts. */
  constructor(
    hosts: Hosts,
    candidates: readonly Candidate[],
    explain: () => Promise<readonly Problem[]>,
  ) {
    this.#hosts = hosts;
    this.#candidates = candidates;
    this.#explain = explain;
  }

  /** @param more hosts to ask beside those of the config. */
  async view(clusterId: ClusterId, more: readonly Host[] = []): Promise<ClusterView> {
    const views = new Map<Host, HostView>();
    const silent = new Map<Host, Error>();
    const asked = new Set<Host>();
    let next = new Set<Host>([...this.#hosts.configured, ...more]);
    while (next.size > 0) {
      for (const host of next) asked.add(host);
      const outcomes = await this.#hosts.ask([...next], (host) =>
        host.look<HostView>('look', { clusterId }),
      );
      for (const outcome of outcomes) {
        if (!outcome.ok) silent.set(outcome.host, outcome.error);
        else if (outcome.value?.folder) views.set(outcome.host, outcome.value);
      }
      const named = [...views.values()].flatMap((view) => [
        ...(view.host.record ? [view.host.record.host] : []),
        ...parsePlacement(view.placement).hosts,
      ]);
      next = new Set(named.map((saved) => this.#hosts.find(saved)).filter((h) => !asked.has(h)));
    }
    const record = this.#findRecord(views);
    if (record)
      this.#records.set(clusterId, { host: record.host.saved, generation: record.generation });
    else this.#records.delete(clusterId);
    const recordView = record ? views.get(record.host) : undefined;
    return {
      views,
      silent,
      record,
      placement: parsePlacement(recordView?.placement ?? null),
      epoch: Math.max(0, ...[...views.values()].map((view) => view.host.epoch)),
    };
  }

  /** F1 */
  #findRecord(views: ReadonlyMap<Host, HostView>): ClusterView['record'] {
    let best: ClusterView['record'] = null;
    for (const [host, view] of views) {
      const said = view.host.record;
      // A record that nobody pointed to yet is its host's.
      const place = said
        ? { host: this.#hosts.find(said.host), generation: said.generation }
        : view.hasRecord
          ? { host, generation: 0 }
          : null;
      if (place && (best === null || place.generation > best.generation)) best = place;
    }
    return best;
  }

  /** The host of the record, without asking anybody where it is known. `null`: there is none. */
  async recordHost(clusterId: ClusterId): Promise<{ host: Host; place: RecordPlace } | null> {
    await this.#moving.get(clusterId)?.catch(() => undefined);
    const known = this.#records.get(clusterId);
    if (known) return { host: this.#hosts.find(known.host), place: known };
    const { record, silent, views } = await this.#find(clusterId);
    if (record) {
      const place = { host: record.host.saved, generation: record.generation };
      return { host: record.host, place };
    }
    if (views.size > 0 || silent.size === 0) return null;
    throw await this.silence(silent);
  }

  /** Nobody knows of a cluster, but somebody who may did not answer. All that is wrong is told in one run. */
  async silence(silent: ClusterView['silent']): Promise<Error> {
    const problems = await this.#explain();
    return problems.length > 0 ? new ProviderError(problems) : [...silent.values()][0]!;
  }

  #find(clusterId: ClusterId): Promise<ClusterView> {
    const finding = this.#finding.get(clusterId) ?? this.view(clusterId);
    this.#finding.set(clusterId, finding);
    const found = () => this.#finding.delete(clusterId);
    finding.then(found, found);
    return finding;
  }

  /** Where the record of a new cluster goes: to its JobManager's host. */
  #newRecordHost(): Host {
    const candidate = hostFor(this.#candidates, Role.jobmanager, 0);
    const host = this.#hosts.configured.find((each) => each.address === candidate?.address);
    return host ?? this.#hosts.configured[0]!;
  }

  record(clusterId: ClusterId): RecordStore {
    return {
      maxBytes: MAX_DOCUMENT_BYTES,
      read: (names, { signal } = {}) => this.#read(clusterId, names ?? null, signal),
      write: (name, value, expected, { signal } = {}) =>
        this.#write(clusterId, { name, value, expected }, signal),
    };
  }

  async #read(
    clusterId: ClusterId,
    names: readonly DocumentName[] | null,
    signal: AbortSignal | undefined,
  ): Promise<StoredDocuments> {
    for (;;) {
      signal?.throwIfAborted();
      const record = await this.recordHost(clusterId);
      const request = { clusterId, names, generation: record?.place.generation };
      const answer = await record?.host.look<ReadAnswer>('read', request);
      if (answer === 'moved') {
        this.forget(clusterId);
        continue;
      }
      const found = new Map(answer ?? []);
      const asksForLock = names === null || names.includes(DocumentName.lock);
      if (asksForLock && !found.has(DocumentName.lock)) {
        const lock = await this.#firstLock(clusterId);
        if (lock !== null) found.set(DocumentName.lock, lock);
      }
      return found;
    }
  }

  async #write(
    clusterId: ClusterId,
    { expected, name, value }: Pick<Write, 'name' | 'value' | 'expected'>,
    signal: AbortSignal | undefined,
  ): Promise<Version | null> {
    for (;;) {
      signal?.throwIfAborted();
      const record = await this.recordHost(clusterId);
      const host = record?.host ?? this.#newRecordHost();
      const known = record !== null && record.place.generation > 0;
      const place = known ? record.place : { host: host.saved, generation: 1 };
      const request: Write = {
        clusterId,
        name,
        expected: expected === goneVersion ? null : expected,
        value,
        record: place,
      };
      const written = await host.call<WriteAnswer>('write', request);
      if (written !== 'moved') {
        this.#records.set(clusterId, place);
        return written.version;
      }
      this.forget(clusterId);
    }
  }

  /** Hosts may remember locks of a record that is gone; the next one must be above them. */
  async #firstLock(clusterId: ClusterId): Promise<StoredDocument | null> {
    const { epoch } = await this.view(clusterId);
    if (epoch === 0) return null;
    const value: LockDocument = {
      holder: 'nobody',
      machine: '',
      message: 'a record that is gone',
      epoch,
      acquiredAt: 0,
      termMs: 0,
      released: true,
    };
    return { version: goneVersion, value, ageMs: null };
  }

  /** Keeps others from the record while it moves, and notes where it is then. */
  async move(clusterId: ClusterId, moving: () => Promise<RecordPlace>): Promise<void> {
    const moved = moving();
    this.#moving.set(clusterId, moved);
    try {
      this.#records.set(clusterId, await moved);
    } finally {
      this.#moving.delete(clusterId);
    }
  }

  /** It was removed. */
  forget(clusterId: ClusterId): void {
    this.#records.delete(clusterId);
  }
}
