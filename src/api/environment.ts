/** The `env` of a job builder: where its streams begin. */
import { DataStream } from './data-stream.ts';
import { JobBuilder } from './job-builder.ts';
import { checkParallelism } from './parallelism.ts';
import type { Source } from './source.ts';
import type { Transformation } from './transformations.ts';
import type { WatermarkStrategy } from './watermarks.ts';

export interface SourceOptions<T> {
  /** How the elements tell event time. */
  readonly watermarks?: WatermarkStrategy<T>;
  /** Shown as `Source: name`; default: what the source calls itself. */
  readonly name?: string;
}

export class StreamExecutionEnvironment {
  readonly #builder = new JobBuilder();
  #parallelism: number | null = null;

  /** Default parallelism of this job's operators; wins over the config's. */
  setParallelism(parallelism: number): this {
    this.#builder.assertBuilding('setParallelism');
    this.#parallelism = checkParallelism(parallelism);
    return this;
  }

  fromSource<T>(source: Source<T>, options: SourceOptions<T> = {}): DataStream<T> {
    const operation = { kind: 'source', source, watermarks: options.watermarks ?? null } as const;
    const name = `Source: ${options.name ?? source.name}`;
    return new DataStream<T>(this.#builder, this.#builder.add(operation, [], name, source.type));
  }

  /**
   * For the compiler: ends building.
   * @internal
   */
  close(): { transformations: readonly Transformation[]; parallelism: number | null } {
    return { transformations: this.#builder.close(), parallelism: this.#parallelism };
  }
}
