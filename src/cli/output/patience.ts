/** Tells people what is waited for, where it takes longer than they expect. */
import type { Report } from './report.ts';

const expectedMs = 3000;

/** @param text what is waited for, and what ends the wait. */
export async function explainWait<T>(
  report: Pick<Report, 'message'>,
  text: string,
  work: Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => report.message(text), expectedMs);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/** Of whoever cancels jobs. */
export const tasksEnd =
  'Waiting for tasks that do not end: their slots are ended 30 s after they were asked';
