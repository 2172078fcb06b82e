/**
 * How failures are made. Their texts are cut where they enter: a message may hold the body of an answer or a
 * whole record, and it goes into the record, logs, answers and terminals, several times each.
 */
import type { FailureInfo } from './outcome.ts';

/** Of a message, and of a stack, in UTF-16 units. */
const maxLength = 16 * 1024;
/** The end of a stack has the frames of the application. */
const tailLength = 4 * 1024;
/** With what says how much is left out it is not longer than that: it may be cut again elsewhere. */
const headLength = maxLength - tailLength - 64;

/** The text, without its middle where it is longer than people read. */
export function shortText(text: string): string {
  if (text.length <= maxLength) return text;
  const left = text.length - headLength - tailLength;
  return `${text.slice(0, headLength)}… (${left} characters left out) …${text.slice(-tailLength)}`;
}

/** @param fields what is not given is `null`, or absent where that is allowed. */
export function createFailure(
  message: string,
  fields: Partial<Omit<FailureInfo, 'message'>> = {},
): FailureInfo {
  const { stack = null } = fields;
  return {
    task: null,
    location: null,
    ...fields,
    message: shortText(message),
    stack: stack === null ? null : shortText(stack),
  };
}

/** One that came from elsewhere. */
export const shortFailure = ({ message, ...fields }: FailureInfo): FailureInfo =>
  createFailure(message, fields);

/** Whether it only follows from another failure, whose report may come later over another connection. */
export const isConsequence = ({ kind }: FailureInfo): boolean => kind === 'peer-lost';
