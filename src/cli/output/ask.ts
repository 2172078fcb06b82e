/** Asks people on the terminal. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { UsageError, problem } from '../../contract/errors.ts';

/**
 * Asks for something that is not shown while it is typed.
 * @throws UsageError when nobody is there to ask.
 */
export async function askSecret(question: string, signal: AbortSignal): Promise<string> {
  const { stderr, stdin } = process;
  if (!stdin.isTTY || !stderr.isTTY) {
    const message = `${question} Nobody is there to ask.`;
    throw new UsageError(problem({ code: 'not-answered', message }));
  }
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: stdin, output: nowhere, terminal: true });
  stderr.write(`${question} `);
  try {
    return await prompt.question('', { signal });
  } finally {
    prompt.close();
    stderr.write('\n');
  }
}
