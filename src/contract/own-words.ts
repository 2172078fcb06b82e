/**
 * Words by which fctl says in which state something is, and of which kind. Programs compare them, so they stay
 * what they are, also where a secret happens to be one of them: with asterisks in its place an answer would be
 * wrong, and would tell the secret besides.
 */
import { ApplicationStatus, FailureKind } from './outcome.ts';
import { Role } from './process-spec.ts';

/** Of clusters, applications, jobs and tasks, as everybody writes them. */
const states: ReadonlySet<string> = new Set([
  ...Object.values(ApplicationStatus),
  'CANCELING',
  'CANCELLING',
  'CREATED',
  'DAMAGED',
  'DEPLOYING',
  'FAILING',
  'FINISHED',
  'INCOMPLETE',
  'INITIALIZING',
  'LOST',
  'RECONCILING',
  'RESTARTING',
  'SCHEDULED',
  'STARTING',
  'UNREACHABLE',
]);

const others: ReadonlySet<string> = new Set([
  ...Object.values(FailureKind),
  ...Object.values(Role),
  // Modes
  'application',
  'per-job',
  'session',
  // Of processes
  'pending',
  'running',
  'restarting',
  'exited',
  'lost',
  // Of releases, and of entries of the audit log
  'intended',
  'stable',
  'failed',
  'rolled-back',
  'succeeded',
  'refused',
  'interrupted',
]);

/** Whether a whole value is such a word. */
export const isOwnWord = (text: string): boolean => states.has(text) || others.has(text);

/** Whether a word is a state: they are in capitals, and stand alone in what people read. */
export const isState = (word: string): boolean => states.has(word);

/** Characters of the longest one. */
export const longestState = Math.max(...[...states].map(({ length }) => length));
