/**
 * The parts of a job's sources and sinks that run on the JobManager: enumerators and committers.
 *
 * C1  Every committer that was made is committed or aborted, and every enumerator is closed.
 */
import type { Committable, SinkCommitter } from '../../../api/sink.ts';
import type { Split, SplitEnumerator } from '../../../api/source.ts';
import { createFailure } from '../../../contract/failure.ts';
import type { FailureInfo } from '../../../contract/outcome.ts';
import type { JsonValue } from '../../../contract/json.ts';
import { createCommitter, createEnumerator } from '../../../connectors/registry.ts';
import type { JobGraph, OperatorNode } from '../../../graph/job-graph.ts';

/** A source or sink that failed on the JobManager. */
export class CoordinatorError extends Error {
  readonly failure: FailureInfo;

  constructor(operator: string, error: unknown) {
    const message = error instanceof Error ? error.message : String(error);
    super(message, { cause: error });
    this.name = 'CoordinatorError';
    this.failure = createFailure(message, { task: operator, location: 'jobmanager' });
  }
}

export interface CoordinatorContext {
  readonly workingDirectory: string;
  readonly jobId: string;
  /** Of the JobManager that runs it; each that takes the job over has a higher one. */
  readonly epoch: number;
}

/** What each subtask of a sink prepared, by operator id. */
export type Committables = (operatorId: string) => readonly Committable[];

export interface Coordinators {
  /** Are the targets usable, is the input there? Rejects with CoordinatorError. */
  start(): Promise<void>;
  /** Rejects with CoordinatorError; with an Error for an operator that is no source. */
  nextSplit(
    operatorId: string,
    request: { subtaskIndex: number; parallelism: number },
  ): Promise<Split | null>;
  /** Publishes, sink by sink, as long as it is not closed meanwhile. @returns what `collect` sinks collected, by name. */
  commit(committables: Committables): Promise<Readonly<Record<string, JsonValue>>>;
  /** Ends all of it: what was not committed is aborted. Never rejects. @returns what went wrong doing so. */
  close(): Promise<readonly Error[]>;
}

export type CreateCoordinators = (graph: JobGraph, context: CoordinatorContext) => Coordinators;

interface Committer {
  readonly node: OperatorNode;
  readonly committer: SinkCommitter;
}

export const createCoordinators: CreateCoordinators = (graph, context) =>
  new JobCoordinators(graph, context);

class JobCoordinators implements Coordinators {
  readonly #nodes: readonly OperatorNode[];
  readonly #context: CoordinatorContext;
  readonly #enumerators = new Map<string, { node: OperatorNode; enumerator: SplitEnumerator }>();
  readonly #committers: Committer[] = [];
  #starting: Promise<void> = Promise.resolve();
  #closing = false;

  constructor(graph: JobGraph, context: CoordinatorContext) {
    this.#nodes = graph.vertices.flatMap((vertex) => vertex.operators);
    this.#context = context;
  }

  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    for (const node of this.#nodes) {
      if (this.#closing) return;
      await attempt(node, async () => {
        if (node.committer !== null) {
          const committer = await createCommitter(node.committer, this.#context);
          this.#committers.push({ node, committer });
          await committer.prepare();
        }
        if (node.enumerator !== null) {
          const enumerator = await createEnumerator(node.enumerator, this.#context);
          this.#enumerators.set(node.id, { node, enumerator });
          await enumerator.start();
        }
      });
    }
  }

  nextSplit(
    operatorId: string,
    request: { subtaskIndex: number; parallelism: number },
  ): Promise<Split | null> {
    const source = this.#enumerators.get(operatorId);
    if (!source) return Promise.reject(new Error(`operator ${operatorId} is not a source`));
    return attempt(source.node, () => source.enumerator.next(request));
  }

  async commit(committables: Committables): Promise<Readonly<Record<string, JsonValue>>> {
    const collected: Record<string, JsonValue> = {};
    for (let next = this.#committers[0]; next; next = this.#committers[0]) {
      const { node, committer } = next;
      const value = await attempt(node, () => committer.commit(committables(node.id)));
      if (this.#closing) break; // it hung until nobody waited for it any more: what is left is aborted
      const name = node.committer?.options['name'];
      if (value !== undefined) collected[typeof name === 'string' ? name : node.name] = value;
      this.#committers.shift();
    }
    return collected;
  }

  async close(): Promise<readonly Error[]> {
    this.#closing = true;
    await this.#starting.catch(() => {}); // its caller knows; C1: nothing may be made after this
    const ends = [
      ...this.#committers.map(({ node, committer }) => attempt(node, () => committer.abort())),
      ...[...this.#enumerators.values()].map(({ node, enumerator }) =>
        attempt(node, () => enumerator.close()),
      ),
    ];
    const ended = await Promise.allSettled(ends);
    return ended.flatMap((end) => (end.status === 'rejected' ? [end.reason as Error] : []));
  }
}

async function attempt<T>(node: OperatorNode, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new CoordinatorError(node.name, error);
  }
}
