/** What streams and environment of one job build together: its transformations, in order of creation. */
import type { RichFunction } from './functions.ts';
import type { Operation, Transformation, TransformationInput } from './transformations.ts';
import type { TypeDescriptor, TypeShape } from './types.ts';

export class JobBuilder {
  readonly #transformations: Transformation[] = [];
  readonly #rich = new Set<RichFunction>();
  #closed = false;

  add(
    operation: Operation,
    inputs: readonly TransformationInput[],
    name: string,
    outputType: TypeShape | null,
    rich: readonly RichFunction[] = [],
  ): Transformation {
    this.assertBuilding(`'${name}'`);
    for (const object of rich) this.#take(object, name);
    const transformation: Transformation = {
      id: this.#transformations.length,
      operation,
      inputs,
      rich,
      name,
      uid: null,
      parallelism: null,
      maxParallelism: null,
      outputType: outputType as TypeDescriptor<unknown> | null,
    };
    this.#transformations.push(transformation);
    return transformation;
  }

  /** What is opened twice would be closed while it is still used. */
  #take(object: RichFunction, name: string): void {
    if (this.#rich.has(object)) {
      throw new Error(
        `'${name}' was given an object with open() or close() that another operator has already: make one for each`,
      );
    }
    this.#rich.add(object);
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
