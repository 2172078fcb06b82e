/**
 * The engine's API: connection, version, and what the engine's errors mean.
 *
 * E1  Docker's API is used in version 1.41 (Docker 20.10), or in the engine's oldest where that is newer.
 * E2  What only reads is asked again while an engine that has answered before is away: it is restarted.
 * E3  An engine that accepts connections and answers nothing is given up.
 */
import { setTimeout as delay } from 'node:timers/promises';
import Dockerode from 'dockerode';
import { ProviderError, problem } from '../../contract/errors.ts';
import { type EngineConnections, createConnections } from './engine-connections.ts';
import { type EngineAddress, describeEngine } from './engine-address.ts';
import { EngineTimeout, answerOf, unreachable } from './errors.ts';

const apiVersion = [1, 41] as const;
const answerTimeoutMs = 30_000;
const retryMs = 200;
/** A restarting engine is back within this time, with its containers. */
const patienceMs = 20_000;

export interface AskOptions {
  /** Whether asking twice does no harm (E2). Default: true. */
  readonly repeatable?: boolean;
  /** Until the first answer. Default: 30 s. */
  readonly timeoutMs?: number;
}

export class EngineClient {
  readonly address: EngineAddress;
  #connection: { docker: Promise<Dockerode>; agent: EngineConnections } | null = null;
  #answered = false;
  #closed = false;

  constructor(address: EngineAddress) {
    this.address = address;
  }

  /**
   * One request.
   * @throws EngineError when the engine refuses; ProviderError when it cannot be reached.
   */
  async ask<T>(
    call: (docker: Dockerode) => Promise<T>,
    { repeatable = true, timeoutMs = answerTimeoutMs }: AskOptions = {},
  ): Promise<T> {
    const start = performance.now();
    for (;;) {
      try {
        const docker = await this.#connect();
        return await this.#timed(call(docker), timeoutMs);
      } catch (error) {
        if (error instanceof ProviderError) throw error;
        const answer = answerOf(error);
        if (answer !== null) throw answer;
        const isAway = repeatable && this.#answered && !this.#closed; // E2
        if (!isAway || performance.now() - start > patienceMs)
          throw unreachable(this.address, error);
        await delay(retryMs);
      }
    }
  }

  /** E3 */
  async #timed<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
    const late = new AbortController();
    const timeout = delay(timeoutMs, null, { signal: late.signal }).then(() => {
      throw new EngineTimeout(`no answer within ${timeoutMs / 1000} s`);
    });
    timeout.catch(() => {});
    try {
      return await Promise.race([answer, timeout]);
    } finally {
      late.abort();
    }
  }

  async #connect(): Promise<Dockerode> {
    if (this.#closed) throw new Error('the connection to the engine was given up');
    if (this.#connection === null) {
      const agent = await createConnections(this.address);
      this.#connection ??= { agent, docker: this.#negotiate(agent) };
    }
    const { docker } = this.#connection;
    return docker.catch((error: unknown) => {
      this.#connection = null;
      throw error;
    });
  }

  /** E1 */
  async #negotiate(agent: EngineConnections): Promise<Dockerode> {
    const docker = createDocker(agent);
    const { ApiVersion, MinAPIVersion } = await this.#timed(docker.version(), answerTimeoutMs);
    if (isOlder(ApiVersion, apiVersion)) {
      throw new ProviderError(
        problem({
          code: 'engine-too-old',
          message: `the Docker engine ${describeEngine(this.address)} speaks API ${ApiVersion}; ${apiVersion.join('.')} is needed`,
          path: '/providers/docker/host',
          hint: 'update it to Docker 20.10 or newer',
        }),
      );
    }
    const used = isOlder(apiVersion.join('.'), versionOf(MinAPIVersion))
      ? MinAPIVersion!
      : apiVersion.join('.');
    (docker.modem as { version?: string }).version = `v${used}`;
    this.#answered = true;
    return docker;
  }

  close(): void {
    this.#closed = true;
    this.#connection?.agent.destroy();
  }
}

const versionOf = (text: string | undefined): [number, number] => {
  const [major = 0, minor = 0] = (text ?? '').split('.').map(Number);
  return [major, minor];
};

function isOlder(text: string | undefined, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor, ownMinor] = versionOf(text);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

/** The agent knows the way; dockerode thinks that there is a socket. */
function createDocker(agent: EngineConnections): Dockerode {
  const none = { host: undefined, port: undefined, timeout: undefined };
  // Its types know no agent; its transport does.
  const options: Dockerode.DockerOptions & { agent: EngineConnections } = {
    ...none,
    socketPath: '/engine',
    protocol: 'http',
    agent,
  };
  // It would mix in what the environment says, which has been read already.
  const { DOCKER_HOST } = process.env;
  delete process.env['DOCKER_HOST'];
  try {
    return new Dockerode(options);
  } finally {
    if (DOCKER_HOST !== undefined) process.env['DOCKER_HOST'] = DOCKER_HOST;
  }
}
