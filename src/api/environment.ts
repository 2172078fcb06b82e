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
  readonly #cachedFiles = new Map<string, string>();
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
   * Brings a file to every machine on which a task of this job runs, before the task starts. Functions find
   * it by `context.distributedCache.getFile(name)`.
   *
   * @param path on the machine where `main()` runs: in application mode that of the JobManager. A relative
   *   one is relative to the application's working directory there.
   * @throws Error when the name is taken.
   */
  registerCachedFile(path: string, name: string): void {
    this.#builder.assertBuilding('registerCachedFile');
    if (typeof path !== 'string' || path === '' || typeof name !== 'string' || name === '') {
      throw new TypeError('registerCachedFile needs the path of a file and a name for it');
    }
    if (this.#cachedFiles.has(name)) {
      throw new Error(`two cached files have the name '${name}': give one of them another`);
    }
    this.#cachedFiles.set(name, path);
  }

  /**
   * For the compiler: ends building.
   * @internal
   */
  close(): {
    transformations: readonly Transformation[];
    parallelism: number | null;
    /** Paths by name. */
    cachedFiles: ReadonlyMap<string, string>;
  } {
    return {
      transformations: this.#builder.close(),
      parallelism: this.#parallelism,
      cachedFiles: this.#cachedFiles,
    };
  }
}
