/** The `env` of a job builder: makes streams and keeps what they are made of. */
import { DataStream, type StreamOptions } from './data-stream.ts';
import { checkParallelism } from './parallelism.ts';
import type { Source } from './source.ts';
import type { Operation, Transformation, TransformationInput } from './transformations.ts';
import type { TypeDescriptor, TypeShape } from './types.ts';
import type { WatermarkStrategy } from './watermarks.ts';

export interface SourceOptions<T> {
  readonly watermarks?: WatermarkStrategy<T>;
  readonly name?: string;
}

export class StreamExecutionEnvironment {
  readonly #transformations: Transformation[] = [];
  #parallelism: number | null = null;
  #closed = false;

  /** Default parallelism of this job's operators; wins over the config's. */
  setParallelism(parallelism: number): this {
    this.assertBuilding('setParallelism');
    this.#parallelism = checkParallelism(parallelism);
    return this;
  }

  fromSource<T>(source: Source<T>, options: SourceOptions<T> = {}): DataStream<T> {
    const operation = { kind: 'source', source, watermarks: options.watermarks ?? null } as const;
    return this.add<T>(operation, [], `Source: ${options.name ?? source.name}`, source.type, {});
  }

  /**
   * For DataStream: adds a node.
   * @internal
   */
  add<T>(
    operation: Operation,
    inputs: readonly TransformationInput[],
    name: string,
    outputType: TypeShape | null,
    options: StreamOptions<T>,
  ): DataStream<T> {
    this.assertBuilding(`'${options.name ?? name}'`);
    const transformation: Transformation = {
      id: this.#transformations.length,
      operation,
      inputs,
      name: options.name ?? name,
      uid: null,
      parallelism: null,
      maxParallelism: null,
      outputType: (options.type ?? outputType) as TypeDescriptor<unknown> | null,
    };
    this.#transformations.push(transformation);
    return new DataStream<T>(this, transformation);
  }

  /**
   * A builder is done when it returns: every process must have built the same by then.
   * @internal
   */
  assertBuilding(what: string): void {
    if (!this.#closed) return;
    throw new Error(`${what} came after the job's builder had returned: build all of a job before, synchronously`);
  }

  /**
   * For the compiler: ends building.
   * @internal
   */
  close(): { transformations: readonly Transformation[]; parallelism: number | null } {
    this.#closed = true;
    return { transformations: this.#transformations, parallelism: this.#parallelism };
  }
}
