/**
 * Asks people on the terminal.
 *
 * Q1  Ctrl-C and Ctrl-D at a question are an answer: no. While a line is edited the terminal sends no
 *     signal for them, so they are asked for here; both have the same effect.
 */
import { type Interface, createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { UsageError, problem } from '../../contract/errors.ts';

/**
 * Asks something that is answered by yes or no, and no unless it is yes.
 * @throws what `signal` was aborted with.
 */
export async function askYes(question: string, signal: AbortSignal): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await ask(prompt, `${question} [y/N] `, signal);
  if (answer === null) process.stderr.write('\n');
  return /^y(es)?$/i.test(answer?.trim() ?? '');
}

/**
 * Asks for something that is not shown while it is typed.
 * @returns `null`: Ctrl-C or Ctrl-D was the answer.
 * @throws UsageError when nobody is there to ask; what `signal` was aborted with.
 */
export async function askSecret(question: string, signal: AbortSignal): Promise<string | null> {
  const { stderr, stdin } = process;
  if (!stdin.isTTY || !stderr.isTTY) throw nobodyToAsk(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: stdin, output: nowhere, terminal: true });
  stderr.write(`${question} `);
  try {
    return await ask(prompt, '', signal);
  } finally {
    stderr.write('\n');
  }
}

/** For a secret that is needed where there is no terminal, or none may be used. */
export const nobodyToAsk = (question: string): UsageError =>
  new UsageError(problem({ code: 'not-answered', message: `${question} Nobody is there to ask.` }));

/** @returns `null`: Ctrl-C or Ctrl-D was the answer (Q1). */
async function ask(
  prompt: Interface,
  question: string,
  signal: AbortSignal,
): Promise<string | null> {
  const closed = new Promise<null>((resolve) => prompt.once('close', () => resolve(null)));
  prompt.once('SIGINT', () => prompt.close());
  // Some versions of Node reject when the prompt is closed, others never settle.
  const answered = prompt.question(question, { signal }).catch(() => null);
  try {
    const answer = await Promise.race([answered, closed]);
    if (answer === null) signal.throwIfAborted();
    return answer;
  } finally {
    prompt.close();
  }
}
