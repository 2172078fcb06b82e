/** What was started: the content of a process's `spec.json`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessSpec } from '../../contract/process-spec.ts';
import type { Place } from '../shared/render.ts';
import type { ClusterLayout } from './layout.ts';

export interface StartedProcess {
  readonly spec: ProcessSpec;
  readonly index: number;
  /** Absent in the files of older versions. */
  readonly place?: Place;
}

/** What a process was started from; `null`: there is none, or it never was. */
export async function readStarted(
  { processes }: ClusterLayout,
  name: string,
): Promise<StartedProcess | null> {
  const file = join(processes, name, 'spec.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : (JSON.parse(text) as StartedProcess);
}
