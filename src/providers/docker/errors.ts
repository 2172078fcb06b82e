/** What an engine, or the way to it, answers: sorted into what a user can mend and what is for us. */
import { type Problem, ProviderError, problem } from '../../contract/errors.ts';
import { type EngineAddress, describeEngine } from './engine-address.ts';

/** The engine answered with an error. */
export class EngineError extends Error {
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EngineError';
    this.status = status;
  }
}

interface ModemError extends NodeJS.ErrnoException {
  readonly statusCode?: number;
  readonly json?: unknown;
}

/** What the engine said; `null`: it said nothing. */
export function answerOf(error: unknown): EngineError | null {
  if (error instanceof EngineError) return error;
  const { json, message, statusCode } = error as ModemError;
  if (statusCode === undefined) return null;
  const said = (json as { message?: unknown } | null)?.message;
  // Of a streamed answer only dockerode's own words are left.
  const words = typeof said === 'string' ? said : message.replace(/^\(HTTP code .*?\) .*? - /, '');
  return new EngineError(statusCode, words.trim(), { cause: error });
}

export const hasStatus = (error: unknown, ...statuses: readonly number[]): boolean =>
  error instanceof EngineError && statuses.includes(error.status);

/** For requests where 404 is an answer. */
export function nullIfNotFound(error: unknown): null {
  if (hasStatus(error, 404)) return null;
  throw error;
}

export class EngineTimeout extends Error {}

/** An error on the way to the engine, for people. */
export function unreachable(address: EngineAddress, error: unknown): ProviderError {
  return new ProviderError(whyUnreachable(address, error as NodeJS.ErrnoException), {
    cause: error,
  });
}

function whyUnreachable(address: EngineAddress, error: NodeJS.ErrnoException): Problem {
  const path = '/providers/docker/host';
  const engine = `the Docker engine ${describeEngine(address)} (${address.origin})`;
  const code = error.code ?? '';
  if (code === 'EACCES' || code === 'EPERM') {
    return problem({
      code: 'engine-not-permitted',
      message: `you may not use ${engine}: permission denied on its socket`,
      path,
      hint: "become a member of the socket's group, usually 'docker', and log in again",
    });
  }
  if (/^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|EPROTO)/.test(code)) {
    return problem({
      code: 'engine-tls',
      message: `no TLS connection to ${engine}: ${error.message}`,
      path: '/providers/docker/certPath',
      hint: 'ca.pem must be of the CA that signed its certificate, cert.pem and key.pem of one that it trusts',
    });
  }
  return problem({
    code: 'engine-unreachable',
    message: `${engine} does not answer: ${reason(error)}`,
    path,
    hint: hintFor(address, code),
  });
}

function reason(error: NodeJS.ErrnoException): string {
  const { code } = error;
  if (code === 'ENOENT') return 'there is no such socket';
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ECONNRESET') return 'it closed the connection';
  if (code === 'ENOTFOUND') return 'its host is unknown';
  return error.message;
}

function hintFor({ transport }: EngineAddress, code: string): string {
  if (transport === 'ssh') return "'ssh HOST docker version' must work, without typing a password";
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return "start the engine, or set providers.docker.host or DOCKER_HOST to where it listens ('docker context ls')";
  }
  return 'see the log of the engine';
}
