/** `fctl/testing`: jobs and operators in unit tests, without a cluster. */
export { ManualClock } from './manual-clock.ts';
export { streamHarness } from './stream-harness.ts';
export type { StreamHarness, StreamHarnessOptions } from './stream-harness.ts';
export { testJob } from './test-job.ts';
export type { JobTestOptions, JobTestResult } from './test-job.ts';
export type { Captured } from './capture.ts';
export type { Layout } from './edge.ts';
