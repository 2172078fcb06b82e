/**
 * The part of the health gate that looks at the jobs of an application: the first ones run, and go on
 * running.
 *
 * Q1  A job runs when all its tasks do, or have finished. A job that has ended is the business of `main()`:
 *     where it is not, the application ends too, and that is seen by its outcome.
 * Q2  A failure begins the wait anew. A job that failed and started again three times has failed the gate.
 * Q3  A `main()` that has had no job for ten seconds, none yet or none any more, is as healthy as one can
 *     tell. Not before: a moment after its only job the application ends, maybe FAILED.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { DeploymentError, problem } from '../../contract/errors.ts';
import type { JobAttemptsResponse } from '../../contract/fctl-rest.ts';
import type { JobDetails } from '../../contract/rest.ts';
import { attemptsOf, followSnapshot } from '../follow.ts';
import { tailJobManagers } from './log-tail.ts';
import type { OnDeployEvent } from './progress.ts';
import { type Site, findLeader } from '../site.ts';

const withoutJobMs = 10_000;
const maxFailures = 3;

export interface JobGateOptions extends Site {
  readonly clusterId: ClusterId;
  readonly onEvent: OnDeployEvent;
}

export class JobGate {
  readonly #options: JobGateOptions;
  readonly #runMs: number;
  /** Since when no job is on its way. */
  #idleSince: number | null = null;
  /** The attempt that each job had when it was first seen. */
  readonly #first = new Map<string, number>();
  /** Which attempts run together, and since when. */
  #running: { readonly attempts: string; readonly since: number } | null = null;
  #waitsFor = 'no job was executed';

  /** @param runMs how long jobs must run without a failure. */
  constructor(options: JobGateOptions, runMs: number) {
    this.#options = options;
    this.#runMs = runMs;
  }

  /** Whether no job is on its way: `main()` has executed none yet, or all have ended. */
  get isIdle(): boolean {
    return this.#idleSince !== null;
  }

  /** What it waits for, for people. */
  describe(): string {
    return this.#waitsFor;
  }

  /** Looks once. @throws DeploymentError for a job that fails again and again (Q2). */
  async passed(): Promise<boolean> {
    const { clusterId } = this.#options;
    const jobs = await followSnapshot(this.#options, clusterId);
    if (jobs === null) return false;
    if (jobs.every(isOver)) {
      this.#idleSince ??= this.#options.clock.monotonic();
      return this.#options.clock.monotonic() - this.#idleSince > withoutJobMs; // Q3
    }
    this.#idleSince = null;
    const attempts = await attemptsOf(this.#options, clusterId, jobs);
    if (attempts === null) return false;
    for (const job of jobs) await this.#refuseFailing(job, attempts.get(job.jid));
    const waiting = jobs.find((job) => !isOver(job) && !runs(job)); // Q1
    if (waiting !== undefined) {
      this.#running = null;
      this.#tell(describeWaiting(waiting, attempts.get(waiting.jid)));
      return false;
    }
    const now = jobs.map(({ jid }) => `${jid}/${attemptNumber(attempts.get(jid))}`).join();
    if (this.#running?.attempts !== now) {
      this.#running = { attempts: now, since: this.#options.clock.monotonic() }; // Q2
    }
    return this.#options.clock.monotonic() - this.#running.since >= this.#runMs;
  }

  #tell(waitsFor: string): void {
    if (waitsFor !== this.#waitsFor) {
      this.#options.onEvent({ type: 'waiting-for-jobs', waitsFor });
    }
    this.#waitsFor = waitsFor;
  }

  async #refuseFailing(job: JobDetails, attempts: JobAttemptsResponse | undefined): Promise<void> {
    const number = attemptNumber(attempts);
    if (!this.#first.has(job.jid)) this.#first.set(job.jid, number);
    const failures = number - this.#first.get(job.jid)!;
    if (failures < maxFailures) return;
    const { clusterId } = this.#options;
    throw new DeploymentError([
      problem({
        code: 'job-fails',
        message: `job '${job.name}' failed ${failures} times and starts again: ${await this.#failure(job)}`,
        hint: `see 'fctl status ${clusterId}'`,
      }),
      ...(await tailJobManagers(this.#options, clusterId)),
    ]);
  }

  async #failure({ jid }: JobDetails): Promise<string> {
    const leader = await findLeader(this.#options, this.#options.clusterId);
    const why = await leader?.api.failureOf(jid).catch(() => null);
    return why ?? 'nobody knows why';
  }
}

const attemptNumber = (answer: JobAttemptsResponse | undefined) =>
  answer?.attempts.at(-1)?.attempt ?? 0;

const over: ReadonlySet<string> = new Set(['FINISHED', 'FAILED', 'CANCELED', 'LOST']);
const isOver = ({ state }: JobDetails) => over.has(state);

const runs = ({ state, vertices }: JobDetails) =>
  state === 'RUNNING' && vertices.every((v) => v.status === 'RUNNING' || v.status === 'FINISHED');

function describeWaiting({ name, state }: JobDetails, attempts: JobAttemptsResponse | undefined) {
  const why = attempts?.waitsFor ?? null;
  return `job '${name}' ${why ?? `is ${state}, its tasks do not run yet`}`;
}
