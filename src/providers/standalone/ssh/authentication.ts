/**
 * The ways to log in, in the order in which they are tried: the key that the config names, the agent's
 * keys, the other identity files, the password, the questions of the server. A password is asked for at
 * last, where somebody is there.
 */
import { readFile } from 'node:fs/promises';
import {
  type AnyAuthMethod,
  type AuthHandlerMiddleware,
  type NextAuthHandler,
  type Prompt,
  utils,
} from 'ssh2';
import type { SecretPrompts } from './secrets.ts';
import type { Target } from './target.ts';

export interface Credentials {
  readonly passphrase: string | null;
  readonly password: string | null;
  /** `SSH_AUTH_SOCK`; `null`: no agent. */
  readonly agentSocket: string | null;
  readonly prompts: SecretPrompts;
}

export interface Login {
  readonly handler: AuthHandlerMiddleware;
  /** What was tried, for people. */
  readonly tried: readonly string[];
  /** What could not be tried, and why. */
  readonly notes: readonly string[];
}

export function prepareLogin(target: Target, credentials: Credentials): Login {
  const tried: string[] = [];
  const notes: string[] = [];
  const methods = ways(target, credentials, tried, notes);
  const handler = (left: string[] | null, _partial: boolean | null, next: NextAuthHandler) => {
    const advance = async (): Promise<AnyAuthMethod | false> => {
      for (;;) {
        const { done, value } = await methods.next();
        if (done) return false;
        const kind = value.type === 'agent' ? 'publickey' : value.type;
        // Before the first answer nobody knows what the server takes.
        if (left === null || left.includes(kind)) return value;
      }
    };
    const answer = async () => {
      const method = await advance().catch((error: Error) => {
        notes.push(error.message);
        return false as const;
      });
      next(method as never);
    };
    void answer();
  };
  return { handler: handler as AuthHandlerMiddleware, tried, notes };
}

async function* ways(
  target: Target,
  credentials: Credentials,
  tried: string[],
  notes: string[],
): AsyncGenerator<AnyAuthMethod> {
  const { agentSocket, password, prompts } = credentials;
  const { identityFiles, user: username } = target;
  yield { type: 'none', username };
  const own = identityFiles.filter(({ optional }) => !optional);
  const others = identityFiles.filter(({ optional }) => optional);
  for (const { file } of own) yield* keyOf(file, false);
  if (agentSocket !== null && !target.identitiesOnly) {
    tried.push('the keys of the agent');
    yield { type: 'agent', username, agent: agentSocket };
  }
  for (const { file } of others) yield* keyOf(file, true);
  const given = password ?? (await prompts.answer(`Password of ${username} at ${target.address}`));
  if (given === null) return;
  tried.push('the password');
  yield { type: 'password', username, password: given };
  yield {
    type: 'keyboard-interactive',
    username,
    prompt: (_name, _instructions, _language, questions: Prompt[], finish) => {
      void answerQuestions(questions, given, target, prompts).then(finish, (error: Error) => {
        notes.push(error.message);
        finish([]);
      });
    },
  };

  async function* keyOf(file: string, optional: boolean): AsyncGenerator<AnyAuthMethod> {
    const key = await readKey(file, credentials, optional, notes);
    if (key === null) return;
    tried.push(`the key ${file}`);
    yield { type: 'publickey', username, ...key };
  }
}

/**
 * The password is the answer to a question for it alone. A code that is valid once, or whatever else a
 * server would like to know, is a question for whoever is there.
 */
async function answerQuestions(
  questions: readonly Prompt[],
  password: string,
  { address }: Target,
  prompts: SecretPrompts,
): Promise<string[]> {
  const answers: string[] = [];
  for (const { echo, prompt } of questions) {
    const isPassword = echo !== true && /^(\([^)]*\) ?)?password( for [^:]*)?:? *$/i.test(prompt);
    const words = prompt.replace(/[\s:]+$/, '');
    const answer = isPassword ? password : await prompts.ask(`${words} (asked by ${address})`);
    if (answer === null)
      throw new Error(`${address} asks '${words}', and nobody is there to answer`);
    answers.push(answer);
  }
  return answers;
}

async function readKey(
  file: string,
  { passphrase, prompts }: Credentials,
  optional: boolean,
  notes: string[],
): Promise<{ key: Buffer; passphrase?: string } | null> {
  const note = (why: string) => {
    notes.push(`the key ${file} ${why}`);
    return null;
  };
  let key: Buffer;
  try {
    key = await readFile(file);
  } catch (error) {
    return optional ? null : note(`cannot be read: ${(error as Error).message}`);
  }
  if (!isError(utils.parseKey(key))) return { key };
  if (!isEncrypted(key)) return note('is no private key that fctl understands');
  const phrase = passphrase ?? (await prompts.answer(`Passphrase of ${file}`));
  if (phrase === null) return note('needs a passphrase');
  if (isError(utils.parseKey(key, phrase))) return note('has another passphrase');
  return { key, passphrase: phrase };
}

const isError = (value: unknown): value is Error => value instanceof Error;

function isEncrypted(key: Buffer): boolean {
  const result: unknown = utils.parseKey(key);
  return isError(result) && /encrypted|passphrase/i.test(result.message);
}
