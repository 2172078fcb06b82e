/**
 * The engine's API: connection, version, and what the engine's errors mean.
 *
 * E1  Docker's API is used in version 1.41 (Docker 20.10), or in the engine's oldest where that is newer.
 * E2  What only reads is asked again while an engine that has answered before is away: it is restarted.
 * E3  An engine that accepts connections and answers nothing is given up.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Dockerode from 'dockerode';
import { ProviderError, problem } from '../../contract/errors.ts';
import { type EngineAddress, type TlsFiles, describeEngine } from './engine-address.ts';
import { EngineTimeout, answerOf, unreachable } from './errors.ts';
import { SshAgent } from './ssh-agent.ts';

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
  #connection: { docker: Promise<Dockerode>; agent: HttpAgent } | null = null;
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
    if (this.#connection === null) {
      const agent = await createAgent(this.address);
      this.#connection ??= { agent, docker: this.#negotiate(agent) };
    }
    const { docker } = this.#connection;
    return docker.catch((error: unknown) => {
      this.#connection = null;
      throw error;
    });
  }

  /** E1 */
  async #negotiate(agent: HttpAgent): Promise<Dockerode> {
    const docker = createDocker(this.address, agent);
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

async function createAgent(address: EngineAddress): Promise<HttpAgent> {
  if (address.transport === 'ssh') return new SshAgent(address);
  if (address.transport === 'unix' || address.tls === null)
    return new HttpAgent({ keepAlive: true });
  const { tls } = address;
  const [ca, cert, key] = await Promise.all([
    readPem(tls, 'ca.pem'),
    readPem(tls, 'cert.pem'),
    readPem(tls, 'key.pem'),
  ]);
  return new HttpsAgent({
    keepAlive: true,
    rejectUnauthorized: tls.verify,
    ...(ca && { ca }),
    ...(cert && key && { cert, key }),
  });
}

async function readPem({ folder }: TlsFiles, name: string): Promise<Buffer | null> {
  if (folder === '') return null;
  const file = join(folder, name);
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    const message = `a certificate for the Docker engine cannot be read: ${(error as Error).message}`;
    throw new ProviderError(
      problem({ code: 'engine-tls', message, file, path: '/providers/docker/certPath' }),
      { cause: error },
    );
  }
}

function createDocker(address: EngineAddress, agent: HttpAgent): Dockerode {
  const none = { socketPath: undefined, host: undefined, port: undefined, timeout: undefined };
  const connection =
    address.transport === 'unix'
      ? { ...none, socketPath: address.socketPath, protocol: 'http' as const }
      : address.transport === 'tcp'
        ? {
            ...none,
            host: address.host,
            port: address.port,
            protocol: address.tls === null ? ('http' as const) : ('https' as const),
          }
        : { ...none, host: 'docker', protocol: 'http' as const };
  // It would mix in what the environment says, which has been read already.
  const { DOCKER_HOST } = process.env;
  delete process.env['DOCKER_HOST'];
  try {
    // Its types know no agent; its transport does.
    const options: Dockerode.DockerOptions & { agent: HttpAgent } = { ...connection, agent };
    return new Dockerode(options);
  } finally {
    if (DOCKER_HOST !== undefined) process.env['DOCKER_HOST'] = DOCKER_HOST;
  }
}
