/**
 * What the jobs of an application go on from when another JobManager follows theirs. Asks, and changes nothing.
 *
 * R1  The newest state counts. A job that runs is suspended; one that was suspended has its savepoint in the
 *     folder that the record names; one that crashed has its last completed checkpoint or, where it completed
 *     none, what it was restored from itself.
 * R2  Nobody steps back behind a savepoint: where it is gone, or cannot be found although its job is
 *     suspended, that state is lost, for a job that stopped with a savepoint has committed everything.
 * R3  A rollback restores what the jobs of its release left when the next release came, which is what that one
 *     ran from; of a release that left nothing what it ran from itself. What came after has written state
 *     that the release may not be able to read, and that may be what is wrong.
 * R4  Whether the record's jobs ran under a release is told by epochs, as for everything else in the record:
 *     a release whose JobManager never led has restored nothing yet.
 */
import type { ClusterSpec, ProcessSpec } from '../../contract/process-spec.ts';
import { Role } from '../../contract/process-spec.ts';
import type { Plan } from '../../contract/plan.ts';
import type { RestoreEntry } from '../../contract/restore.ts';
import type { StateSupport } from '../../engines/engine.ts';
import {
  type JobsDocument,
  NOT_YET,
  type RecordedJob,
  type ReleaseEntry,
  ReleaseStatus,
} from '../../record/documents.ts';
import { startsApplication } from './plan.ts';
import type { Situation } from './situation.ts';
import { type StateQuestion, hasState, lossWithoutState } from './state-loss.ts';

/** The plan, with what becomes of the state of jobs. */
export async function withState(question: StateQuestion): Promise<Plan> {
  const { engine, plan, situation, spec } = question;
  const { state } = engine;
  if (state === null || spec.mode === 'session' || !startsApplication(plan, situation.observed)) {
    return { ...plan, stateLoss: await lossWithoutState(question) };
  }
  const search = new Search(state, question);
  await search.run();
  return { ...plan, restore: search.restore, stateLoss: search.loss };
}

/** What the jobs of the record were restored from. */
export const restoredFrom = (situation: Situation): readonly RestoreEntry[] =>
  ranAs(situation)?.restore ?? [];

/** The release that the record's jobs ran under (R4); `null`: there are no jobs, or nobody knows. */
function ranAs({ journal, releases }: Situation): ReleaseEntry | null {
  if (journal === null) return null;
  return releases.findLast(({ afterEpoch }) => afterEpoch < journal.epoch) ?? null;
}

class Search {
  readonly restore: RestoreEntry[] = [];
  readonly loss: string[] = [];
  readonly #state: StateSupport;
  readonly #question: StateQuestion;
  readonly #situation: Situation;

  constructor(state: StateSupport, question: StateQuestion) {
    this.#state = state;
    this.#question = question;
    this.#situation = question.situation;
  }

  async run(): Promise<void> {
    const { returnsTo } = this.#question;
    const { journal } = this.#situation;
    const ran = ranAs(this.#situation);
    if (returnsTo !== null && returnsTo.release !== ran?.release) await this.#goBack(returnsTo);
    else if (journal !== null) await this.#goOn(journal, ran);
    this.restore.sort((a, b) => a.executeIndex - b.executeIndex);
  }

  /** R1 */
  async #goOn(journal: JobsDocument, ran: ReleaseEntry | null): Promise<void> {
    const base = ran?.restore ?? [];
    for (const job of journal.jobs.filter(({ outcome }) => outcome === null)) {
      const entry = await this.#stateOf(job, ran);
      if (entry !== null) this.restore.push(entry);
      else if (this.#counts(job)) this.loss.push(startsFromNothing(job));
    }
    // What `main()` had not come to yet.
    for (const entry of base.filter(({ executeIndex }) => !isExecuted(journal, executeIndex))) {
      await this.#take(entry);
    }
  }

  async #stateOf(job: RecordedJob, ran: ReleaseEntry | null): Promise<RestoreEntry | null> {
    const { isSuspended, jobsRun, releases } = this.#situation;
    if (job.executeIndex === null) return null;
    const last = releases.at(-1);
    const saved = last === ran ? [] : (last?.restore ?? []);
    const own = saved.find((e) => e.jobId === job.id && e.kind === 'savepoint');
    if (jobsRun) {
      // Whoever was interrupted may have asked for it already, with this folder.
      const isUnderWay = own?.path === null && last?.status === ReleaseStatus.intended;
      return isUnderWay ? own : this.#toSuspend(job, job.executeIndex);
    }
    if (own !== undefined) {
      const path = await this.#find(own);
      if (path !== null) return { ...own, path };
      if (own.path !== null || isSuspended) return null; // R2
    }
    const checkpoint = await this.#state.lastCheckpoint(this.#ranFrom(), job.id, this.#question);
    const { executeIndex, id: jobId, name } = job;
    if (checkpoint !== null)
      return { executeIndex, jobId, name, ...checkpoint, kind: 'checkpoint' };
    const before = ran?.restore?.find((e) => e.executeIndex === job.executeIndex);
    const path = before === undefined ? null : await this.#find(before);
    return path === null ? null : { ...before!, path };
  }

  #toSuspend({ id: jobId, name }: RecordedJob, executeIndex: number): RestoreEntry {
    const number = (this.#situation.releases.at(-1)?.number ?? 0) + 1;
    const directory = this.#state.directory(
      jobManagerOf(this.#question.spec),
      `release-${number}-${jobId}`,
    );
    return { executeIndex, jobId, name, directory, path: null, kind: 'savepoint' };
  }

  /** R3 */
  async #goBack(target: ReleaseEntry): Promise<void> {
    for (const entry of (await this.#leftBy(target)) ?? target.restore ?? [])
      await this.#take(entry);
    if (this.restore.length > 0 || this.loss.length > 0) return;
    const unfinished =
      this.#situation.journal?.jobs.filter(({ outcome }) => outcome === null) ?? [];
    this.loss.push(...unfinished.filter((job) => this.#counts(job)).map(startsFromNothing));
  }

  /** @returns `null`: nothing that is known. */
  async #leftBy(target: ReleaseEntry): Promise<readonly RestoreEntry[] | null> {
    const mine = target.restore ?? [];
    for (const later of this.#situation.releases.filter((r) => r.number > target.number)) {
      const restore = await Promise.all((later.restore ?? []).map((e) => this.#look(e)));
      const isNothing = restore.length === 0 && later.afterEpoch === NOT_YET;
      if (isNothing || restore.some(({ path }) => path === null)) continue; // it ended nothing
      if (isCarriedOn(target, later, mine, restore)) continue;
      return later.cause === 'rollback' || restore.length === 0 ? null : restore;
    }
    return null;
  }

  async #look(entry: RestoreEntry): Promise<RestoreEntry> {
    return { ...entry, path: entry.path ?? (await this.#find(entry)) };
  }

  /** Takes what an earlier release wrote down, where it is there. */
  async #take(entry: RestoreEntry): Promise<void> {
    const path = await this.#find(entry);
    if (path !== null) this.restore.push({ ...entry, path });
    else this.loss.push(`the ${entry.kind} of job '${entry.name}' is not in ${entry.directory}`);
  }

  #find({ directory }: RestoreEntry): Promise<string | null> {
    return this.#state.find(directory, this.#question);
  }

  /** Jobs that came with what failed just now have nothing that would be missed. */
  #counts(job: RecordedJob): boolean {
    return hasState(job) && job.startTime < this.#question.startedBefore;
  }

  /** What the record's jobs ran from; that of the release to come where nobody knows. */
  #ranFrom(): ProcessSpec {
    const processes = this.#situation.observed?.processes ?? [];
    const there = processes.find(({ role, spec }) => role === Role.jobmanager && spec !== null);
    return there?.spec ?? jobManagerOf(this.#question.spec);
  }
}

const startsFromNothing = ({ name }: RecordedJob): string =>
  `job '${name}' has state, and would start again from nothing: there is no savepoint or completed checkpoint of it`;

const isExecuted = ({ forgotten, jobs }: JobsDocument, index: number): boolean =>
  jobs.some(({ executeIndex }) => executeIndex === index) ||
  (forgotten ?? []).some(({ from, to }) => from <= index && index <= to);

/** Whether the jobs of one release ran on under a later one, such as one with another retention. */
function isCarriedOn(
  target: ReleaseEntry,
  later: ReleaseEntry,
  mine: readonly RestoreEntry[],
  restore: readonly RestoreEntry[],
): boolean {
  if (mine.length === 0 && restore.length === 0) return target.afterEpoch === later.afterEpoch;
  const folders = (entries: readonly RestoreEntry[]) => entries.map((e) => e.directory).join('\n');
  return folders(mine) === folders(restore);
}

const jobManagerOf = ({ processes }: ClusterSpec): ProcessSpec =>
  processes.find(({ role }) => role === Role.jobmanager)!;
