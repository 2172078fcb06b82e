/** What streams and environment of one job build together: its transformations, in order of creation. */
import type { Operation, Transformation, TransformationInput } from './transformations.ts';
import type { TypeDescriptor, TypeShape } from './types.ts';

export class JobBuilder {
  readonly #transformations: Transformation[] = [];
  #closed = false;

  add(
    operation: Operation,
    inputs: readonly TransformationInput[],
    name: string,
    outputType: TypeShape | null,
  ): Transformation {
    this.assertBuilding(`'${name}'`);
    const transformation: Transformation = {
      id: this.#transformations.length,
      operation,
      inputs,
      name,
      uid: null,
      parallelism: null,
      maxParallelism: null,
      outputType: outputType as TypeDescriptor<unknown> | null,
    };
    this.#transformations.push(transformation);
    return transformation;
  }

  /** A job is built when its builder returns: every process must have built the same by then. */
  assertBuilding(what: string): void {
    if (!this.#closed) return;
    throw new Error(
      `${what} came after the job's builder had returned: build all of a job before, synchronously`,
    );
  }

  close(): readonly Transformation[] {
    this.#closed = true;
    return this.#transformations;
  }
}
