/** What was started: the content of a process's `spec.json`. */
import type { ProcessSpec } from '../../contract/process-spec.ts';
import type { Place } from '../shared/render.ts';

export interface StartedProcess {
  readonly spec: ProcessSpec;
  readonly index: number;
  /** Absent in the files of older versions. */
  readonly place?: Place;
}
