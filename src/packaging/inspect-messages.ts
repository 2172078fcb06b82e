/** What `inspect.ts` and its worker say to each other. */
import type { Problem } from '../contract/errors.ts';
import type { JsonObject } from '../contract/json.ts';
import type { JobGraph } from '../graph/job-graph.ts';

export interface InspectRequest {
  readonly file: string;
  readonly bundleHash: string;
  readonly args: JsonObject;
  readonly parallelism: number;
  /** Absolute: of relative paths of cached files. */
  readonly workingDirectory: string;
  /**
   * Which jobs to compile: none, where it is not known what will be run; the only one of an application without `main`, the one of a name with `args` as its
   * own, or those that are executed with `args`, all or those of a name.
   */
  readonly compile:
    | { readonly jobs: 'none' | 'if-no-main' }
    | { readonly job: string }
    | { readonly executed: string | null };
}

export type InspectAnswer =
  | { readonly type: 'inspected'; readonly inspection: Inspection }
  | {
      readonly type: 'invalid';
      readonly problems: readonly Problem[];
      readonly stack: string | null;
    };

export interface Inspection {
  /** Names of the jobs that the application defines, in order. */
  readonly jobs: readonly string[];
  readonly hasMain: boolean;
  /** Of the jobs that were asked for. */
  readonly graphs: readonly JobGraph[];
  /** Why `main()` may execute more than that; else `null`. */
  readonly incomplete: string | null;
}
