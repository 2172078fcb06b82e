/**
 * The operators of one subtask behind the interface that hosts see, and their life cycle.
 *
 *   created ──open()──▶ opening ──▶ open ──finish()──▶ finishing ──▶ finished
 *      └───────────────────┴──────────┴── abort() ────────┴──▶ aborted
 *
 * H1  `finished` and `aborted` are the ends; nothing leaves them. What was finished belongs to the
 *     JobManager: a later `abort()` leaves it alone.
 * H2  `abort()` waits for an `open()` or `finish()` under way before it aborts the operators, so that no
 *     writer prepares and removes at the same time. That `open()` or `finish()` then rejects.
 */
import { inspect } from 'node:util';
import type { Committable } from '../../../api/sink.ts';
import type { UserMetric } from '../../../contract/metrics/user-metrics.ts';
import type { JsonValue } from '../../../contract/json.ts';
import type { ElementConsumer } from './element-consumer.ts';
import type { FailureLog } from './failures.ts';
import type { FunctionLives } from './function-lives.ts';
import type { ChainSource, OperatorChain } from './operator-chain.ts';
import type { Operator, OperatorMetrics } from './operator.ts';
import type { ProcessingTimers } from '../timers/processing-timers.ts';
import type { Counters } from './runtime-context.ts';
import type { UserMetrics } from './user-metrics.ts';

type Committables = Readonly<Record<string, readonly Committable[]>>;

type Life =
  | { readonly state: 'created' | 'open' | 'finished' }
  | { readonly state: 'opening' | 'finishing'; readonly settled: Promise<unknown> }
  | { readonly state: 'aborted'; readonly settled: Promise<void> };

export interface ChainParts {
  /** In chain order. */
  readonly operators: readonly Operator[];
  /** Those that none follows in the chain. */
  readonly leaves: readonly Operator[];
  readonly inputs: readonly ElementConsumer[];
  readonly source: ChainSource | null;
  readonly metrics: OperatorMetrics;
  readonly counters: Counters;
  readonly userMetrics: UserMetrics;
  readonly timers: ProcessingTimers;
  readonly failures: FailureLog;
  readonly functions: FunctionLives;
  readonly warn: (message: string) => void;
}

export class Chain implements OperatorChain {
  readonly inputs: readonly ElementConsumer[];
  readonly source: ChainSource | null;
  readonly metrics: OperatorMetrics;
  private readonly parts: ChainParts;
  private life: Life = { state: 'created' };

  constructor(parts: ChainParts) {
    this.parts = parts;
    this.inputs = parts.inputs;
    this.source = parts.source;
    this.metrics = parts.metrics;
  }

  get currentWatermark(): number {
    return Math.min(...this.parts.leaves.map((leaf) => leaf.currentWatermark));
  }

  async open(): Promise<void> {
    this.expect('created', 'open()');
    const opening = this.openOperators();
    this.life = { state: 'opening', settled: opening };
    await opening;
    this.expect('opening', 'open()');
    this.life = { state: 'open' };
  }

  ready(): Promise<void> | null {
    let pending: Promise<void>[] | null = null;
    for (const operator of this.parts.operators) {
      const ready = operator.ready();
      if (ready === null) continue;
      pending ??= [];
      pending.push(ready);
    }
    return pending === null ? null : allDone(pending);
  }

  onProcessingTime(): void {
    this.parts.timers.fire();
  }

  get isInterrupted(): boolean {
    for (const operator of this.parts.operators) if (operator.isInterrupted) return true;
    return false;
  }

  /** An operator that has done what it had to may interrupt one behind it. */
  resume(): void {
    for (const operator of this.parts.operators) operator.resume();
  }

  async finish(): Promise<Committables> {
    this.expect('open', 'finish()');
    this.parts.timers.clear();
    const finishing = this.finishOperators();
    this.life = { state: 'finishing', settled: finishing };
    const committables = await finishing;
    this.expect('finishing', 'finish()');
    this.life = { state: 'finished' };
    return committables;
  }

  abort(): Promise<void> {
    const { life } = this;
    if (life.state === 'finished') return Promise.resolve(); // H1
    if (life.state === 'aborted') return life.settled;
    const settled = this.abortOperators('settled' in life ? life.settled : null);
    this.life = { state: 'aborted', settled };
    return settled;
  }

  failedOperator(error: unknown): string | null {
    return this.parts.failures.operatorOf(error);
  }

  accumulators(): Readonly<Record<string, JsonValue>> {
    return this.parts.counters.values();
  }

  userMetrics(): readonly UserMetric[] {
    return this.parts.userMetrics.read();
  }

  /** The last operators first: when the head opens, all behind it can take elements. */
  private async openOperators(): Promise<void> {
    await this.parts.functions.open();
    for (const operator of this.parts.operators.toReversed()) await operator.open();
  }

  private async finishOperators(): Promise<Committables> {
    const { operators } = this.parts;
    const results = await settle(operators.map((operator) => operator.finish()));
    const committables: Record<string, readonly Committable[]> = {};
    for (const [index, operator] of operators.entries()) {
      const prepared = results[index];
      if (prepared) committables[operator.id] = prepared;
    }
    const [failure] = await this.parts.functions.close();
    if (failure !== undefined) throw failure.error;
    return committables;
  }

  private async abortOperators(underWay: Promise<unknown> | null): Promise<void> {
    this.parts.timers.clear();
    if (underWay !== null) await Promise.allSettled([underWay]); // H2
    await Promise.allSettled([
      ...this.parts.operators.map((operator) => operator.abort()),
      this.closeFunctions(),
    ]);
  }

  /** After a failure or a cancellation: what closing them throws is not why the task ended. */
  private async closeFunctions(): Promise<void> {
    for (const { operator, error } of await this.parts.functions.close()) {
      this.parts.warn(`close() of a function of '${operator}' failed: ${inspect(error)}`);
    }
  }

  private expect(state: Life['state'], call: string): void {
    if (this.life.state === state) return;
    throw new Error(`${call} of an operator chain that is ${this.life.state}`);
  }
}

async function allDone(pending: readonly Promise<void>[]): Promise<void> {
  await settle(pending);
}

/** All results once every promise has settled; the first failure if there is one. */
async function settle<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
