/**
 * What goes wrong between here and a host. The messages name the host; `path`, where the host stands in
 * the config, is added by whoever knows it.
 */
import { type Problem, ProviderError, problem } from '../../../contract/errors.ts';
import type { Login } from './authentication.ts';
import type { Target } from './target.ts';

/** A connection that was open is not any more. What was under way may have happened, or not. */
export class ConnectionLostError extends ProviderError {
  constructor(address: string, why: string) {
    super(
      problem({
        code: 'connection-lost',
        message: `the connection to ${address} was lost: ${why}`,
        hint: "'fctl status' shows what is true; then repeat the command",
      }),
    );
  }
}

/** A host cannot be reached, or does not let us in. */
export class ConnectError extends ProviderError {
  /** Whether a second try may help: the connection broke before anybody said no. */
  readonly mayRetry: boolean;

  constructor(found: Problem, mayRetry: boolean, cause?: unknown) {
    super(found, { cause });
    this.mayRetry = mayRetry;
  }

  /** Whether nobody answered, as if there was no such host. */
  get isSilence(): boolean {
    return this.problems[0]!.code === 'host-timeout';
  }

  static from(
    error: Error & { level?: string; code?: string },
    target: Target,
    login: Login,
    refusedKey: Problem | null,
  ): ConnectError {
    const { address, hostName, port, user } = target;
    if (refusedKey !== null) return new ConnectError(refusedKey, false, error);
    const where = hostName === address ? `${address}:${port}` : `${address} (${hostName}:${port})`;
    if (error.level === 'client-authentication') return refusedLogin(user, where, login, error);
    if (error.level === 'client-timeout' || error.code === 'ETIMEDOUT') {
      return new ConnectError(
        problem({
          code: 'host-timeout',
          message: `${where} does not answer`,
          hint: 'is it on, and does the network let SSH through? providers.standalone.connectTimeout is how long it is waited for',
        }),
        false,
        error,
      );
    }
    const unknownName = error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN';
    return new ConnectError(
      problem({
        code: 'host-unreachable',
        message: `${where} cannot be reached: ${unknownName ? 'there is no host of that name' : plain(error)}`,
        hint: unknownName ? 'mend its address' : 'does an SSH server run there, on that port?',
      }),
      !unknownName && error.level !== 'handshake',
      error,
    );
  }

  static closed({ address }: Target): ConnectError {
    return new ConnectError(
      problem({
        code: 'host-unreachable',
        message: `${address} closed the connection before it was open`,
        hint: "does its SSH server take more connections? Its log says more ('MaxStartups')",
      }),
      true,
    );
  }

  static fromForward(error: Error, host: string, port: number): ConnectError {
    return new ConnectError(
      problem({
        code: 'host-unreachable',
        message: `${host}:${port} cannot be reached through the hosts before it: ${error.message.replace(/^\(SSH\) /, '')}`,
      }),
      false,
      error,
    );
  }

  /** The same, of a host on the way. */
  at(hop: string): ConnectError {
    const [first] = this.problems;
    const message = `on the way, at ${hop}: ${first!.message}`;
    return new ConnectError({ ...first!, message }, this.mayRetry, this);
  }
}

function refusedLogin(user: string, where: string, login: Login, cause: Error): ConnectError {
  const tried =
    login.tried.length === 0 ? 'there was nothing to try' : `tried ${login.tried.join(', ')}`;
  const notes = login.notes.map((note) => `; ${note}`).join('');
  return new ConnectError(
    problem({
      code: 'login-refused',
      message: `${where} does not let ${user} in: ${tried}${notes}`,
      hint: 'set providers.standalone.user, identityFile or password; ssh -v says what the server wants',
    }),
    false,
    cause,
  );
}

function plain(error: Error & { code?: string }): string {
  if (error.code === 'ECONNREFUSED') return 'the connection is refused';
  if (error.code === 'EHOSTUNREACH' || error.code === 'ENETUNREACH') return 'there is no way to it';
  if (error.code === 'ECONNRESET') return 'the connection was cut';
  return error.message;
}
