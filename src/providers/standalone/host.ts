/**
 * One host: its connection, which is opened when it is needed and kept, and its agent.
 *
 * O1  A connection that broke while it was opened is tried again, with growing pauses; one that broke later
 *     is opened anew for the next request. What was under way fails, but for what only looks (`look`).
 * O2  Looking sends nothing to a host that has no runtime: such a host has no clusters. To one that has, at
 *     most the agent's script is sent.
 * O3  A host that did not answer is not waited for again before as much time has passed: what asks it many
 *     questions waits half of the time at most.
 */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { FctlError, ProviderError, problem } from '../../contract/errors.ts';
import { AgentClient, type CallOptions } from './agent-client.ts';
import type { SavedHost } from './agent/host-document.ts';
import { type HostFacts, readFacts } from './facts.ts';
import type { ConnectionOptions } from './ssh/connection.ts';
import { SshConnection } from './ssh/connection.ts';
import { ConnectError, ConnectionLostError } from './ssh/errors.ts';
import { type LoginOptions, type Target, resolveTarget } from './ssh/target.ts';
import type { SshConfigSource } from './ssh/ssh-config.ts';
import { folderWord, quote, script } from './shell.ts';
import { failed } from './upload.ts';

/** Pauses before the next attempt to connect (O1). */
const pausesMs = [200, 600];

export interface HostOptions {
  /** Of fctl on the host; may begin with `~/`. */
  readonly dir: string;
  readonly connection: ConnectionOptions;
  /** `null`: `~/.ssh/config` does not count. */
  readonly sshConfig: SshConfigSource | null;
  readonly homeDir: string;
  /** The agent's script on this machine, and its hash. */
  readonly agent: { readonly file: string; readonly hash: string };
}

export class Host {
  readonly login: LoginOptions;
  /** JSON pointer of the host in the config; `null`: it is not in it any more. */
  readonly path: string | null;
  readonly #options: HostOptions;
  #connection: Promise<SshConnection> | null = null;
  #agent: Promise<AgentClient | null> | null = null;
  #target: Promise<Target> | null = null;
  #facts: Promise<HostFacts> | null = null;
  /** O3 */
  #silent: { readonly error: Error; readonly until: number } | null = null;
  readonly #closing = new AbortController();

  /** What the config says under which others reach it; `null`: nothing. */
  readonly advertise: string | null;

  constructor(
    login: LoginOptions & { advertise?: string | null },
    path: string | null,
    options: HostOptions,
  ) {
    this.login = login;
    this.advertise = login.advertise ?? null;
    this.path = path;
    this.#options = options;
  }

  get address(): string {
    return this.login.address;
  }

  get dir(): string {
    return this.#options.dir;
  }

  /** How somebody else finds it. */
  get saved(): SavedHost {
    const { address, jump, port, user } = this.login;
    return { address, jump, port, user };
  }

  target(): Promise<Target> {
    const { homeDir, sshConfig } = this.#options;
    this.#target ??= resolveTarget(this.login, sshConfig, homeDir);
    return this.#target;
  }

  /** @throws ConnectError, with the host's place in the config. */
  async connection(): Promise<SshConnection> {
    if (this.#closing.signal.aborted) throw new Error('the provider was closed');
    const current = this.#connection;
    if (current !== null) {
      const open = await current;
      if (open.isOpen) return open;
      if (this.#connection === current) this.#connection = null;
      return this.connection();
    }
    if (this.#silent !== null && performance.now() < this.#silent.until) throw this.#silent.error;
    const opening = this.#connect();
    this.#connection = opening;
    opening.catch(() => {
      if (this.#connection === opening) this.#connection = null;
    });
    return opening;
  }

  async #connect(): Promise<SshConnection> {
    for (let attempt = 0; ; attempt++) {
      try {
        const { signal } = this.#closing;
        const connection = await SshConnection.open(
          await this.target(),
          this.#options.connection,
          signal,
        );
        if (this.#closing.signal.aborted) connection.close();
        return connection;
      } catch (error) {
        const pause = pausesMs[attempt];
        const again = error instanceof ConnectError && error.mayRetry && pause !== undefined;
        if (!again || this.#closing.signal.aborted) throw this.#noted(this.located(error) as Error);
        await delay(pause); // O1
      }
    }
  }

  /** O3 */
  #noted(error: Error): Error {
    if (error instanceof ConnectError && error.isSilence) {
      const until = performance.now() + this.#options.connection.connectTimeoutMs;
      this.#silent = { error, until };
    }
    return error;
  }

  /** Asked once. */
  facts(): Promise<HostFacts> {
    this.#facts ??= this.connection().then((connection) => readFacts(connection, this.dir));
    const asked = this.#facts;
    asked.catch(() => (this.#facts = null));
    return asked;
  }

  /** The same error, with the host's place in the config. */
  located(error: unknown): unknown {
    if (!(error instanceof ProviderError)) return error;
    const problems = error.problems.map((found) => ({ ...found, path: found.path ?? this.path }));
    if (error instanceof ConnectError) return new ConnectError(problems[0]!, error.mayRetry, error);
    if (error instanceof ConnectionLostError) return error;
    return new ProviderError(problems, { cause: error });
  }

  /** The agent; `null`: the host has no runtime, hence no clusters. */
  async agent(): Promise<AgentClient | null> {
    const current = this.#agent;
    if (current !== null) {
      const agent = await current;
      if (agent?.isOpen) return agent;
      if (this.#agent === current) this.#agent = null;
      return this.agent();
    }
    const opening = this.#openAgent();
    this.#agent = opening;
    try {
      const agent = await opening;
      // A runtime may come at any time.
      if (agent === null && this.#agent === opening) this.#agent = null;
      return agent;
    } catch (error) {
      if (this.#agent === opening) this.#agent = null;
      throw this.located(error);
    }
  }

  async #openAgent(): Promise<AgentClient | null> {
    const connection = await this.connection();
    for (let attempt = 0; attempt < 2; attempt++) {
      const { channel, ended } = await connection.start(this.#agentCommand());
      const errors: Buffer[] = [];
      channel.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
      const lost = (why: string | null, greeting = '') => {
        const said = Buffer.concat(errors).toString('utf8').trim() || greeting.trim();
        const last = said.split('\n').at(-1);
        return new ConnectionLostError(this.address, why ?? (last || 'its agent ended'));
      };
      const opened = AgentClient.open(channel, `${this.address}: `, lost);
      const first = await Promise.race([opened.catch(() => null), ended.catch(() => null)]);
      if (first instanceof AgentClient) return first;
      const code = await ended;
      if (code === noRuntime) return null;
      if (code !== noAgent) throw lost(null);
      await this.#sendAgent(connection);
    }
    throw failed(this.address, this.dir, 'the agent is not there, though it was sent');
  }

  #agentCommand(): string {
    const dir = folderWord(this.dir);
    const agent = `${dir}/agents/${quote(`${this.#options.agent.hash}.mjs`)}`;
    return script(
      [
        // The newest runtime. Names of runtimes are hashes: they need no quotes.
        `for node in $(cd ${dir}/runtimes 2>/dev/null && ls -t); do [ -x ${dir}/runtimes/$node/bin/node ] && break; node=; done`,
        `[ -n "\${node:-}" ] || exit ${noRuntime}`,
        `[ -f ${agent} ] || exit ${noAgent}`,
        'echo', // so that its first message is a line of its own, whatever the host greets with
        `exec ${dir}/runtimes/$node/bin/node ${agent} ${dir}`,
      ].join('\n'),
    );
  }

  /** Two clients may do so at once: each sends to a name of its own, and the last one wins with the same. */
  async #sendAgent(connection: SshConnection): Promise<void> {
    const { file, hash } = this.#options.agent;
    const agents = `${folderWord(this.dir)}/agents`;
    const command = [
      'umask 077',
      `mkdir -p ${agents} || exit 1`,
      `new=${agents}/.${hash}.$$`,
      `cat >"$new" || { rm -f "$new"; exit 1; }`,
      'found=$(sha256sum <"$new")',
      `[ "\${found%% *}" = ${hash} ] || { rm -f "$new"; echo 'the agent was damaged on its way' >&2; exit 1; }`,
      `mv -f "$new" ${agents}/${hash}.mjs`,
    ];
    const { channel, ended } = await connection.start(script(command.join('\n')));
    const errors: Buffer[] = [];
    channel.resume();
    channel.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    await pipeline(createReadStream(file), channel).catch(() => undefined);
    if ((await ended) !== 0)
      throw failed(this.address, this.dir, Buffer.concat(errors).toString('utf8'));
  }

  /** Asks the agent for something that changes something. @throws ProviderError when there is no runtime. */
  async call<T>(method: string, params: object, options?: CallOptions): Promise<T> {
    const agent = await this.agent();
    if (agent === null) throw this.located(noRuntimeError(this.address)) as Error;
    return this.#ask<T>(agent, method, params, options);
  }

  /** Asks the agent what there is; `null`: there is no runtime, hence nothing. */
  async look<T>(method: string, params: object, options?: CallOptions): Promise<T | null> {
    for (let attempt = 0; ; attempt++) {
      const agent = await this.agent();
      if (agent === null) return null;
      try {
        return await this.#ask<T>(agent, method, params, options);
      } catch (error) {
        if (attempt > 0 || !(error instanceof ConnectionLostError)) throw error; // O1
      }
    }
  }

  async #ask<T>(agent: AgentClient, method: string, params: object, options?: CallOptions) {
    try {
      return await agent.call<T>(method, params, options);
    } catch (error) {
      throw error instanceof FctlError ? this.located(error) : error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const [agent, connection] = await Promise.all([
      this.#agent?.catch(() => null),
      this.#connection?.catch(() => null),
    ]);
    agent?.close(new Error('the provider was closed'));
    connection?.close();
    await connection?.closed;
  }
}

/** Exit codes of the command that starts the agent. */
const noRuntime = 66;
const noAgent = 67;

function noRuntimeError(address: string): ProviderError {
  return new ProviderError(
    problem({
      code: 'runtime-missing',
      message: `${address} has no runtime of fctl`,
      hint: "'fctl deploy' puts one there",
    }),
  );
}
