/**
 * The standalone provider: clusters on hosts that are reached by SSH. On each host an agent does the work
 * (agent/); this is what has to be decided for all of them.
 *
 * C1  The placement is written before a process is started: whoever died in between is found.
 * C2  The lock lies with the record, on the JobManager's host. It is looked at before another host is told
 *     to act, and that host keeps the highest epoch it saw: so a lock that was lost is refused there too.
 * C3  Before a process is started, whatever has its name on any other host is ended.
 * C4  What may run on a host that does not answer is never said to be gone.
 */
import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import { type ClusterId, isClusterId } from '../../contract/cluster-id.ts';
import type { ResolvedStandalone } from '../../config/providers/standalone.ts';
import type { Call } from '../../contract/call.ts';
import type { RecordStore } from '../../record/store.ts';
import { ClusterError, type Problem, ProviderError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { Plan } from '../../contract/plan.ts';
import type { ClusterSpec, RuntimeRef } from '../../contract/process-spec.ts';
import { checkFence } from '../../record/fence.ts';
import { untilAborted } from '../shared/abort.ts';
import { LoopbackRelays } from '../shared/loopback-relays.ts';
import { connectionTo } from '../shared/connection.ts';
import { watchByPolling } from '../shared/poll.ts';
import { noSuchProcess, refuseOtherRuntime } from '../shared/refusals.ts';
import type {
  ArtifactStore,
  Capabilities,
  ClusterConnection,
  ClusterList,
  ConvergeOptions,
  DestroyOptions,
  ExecStreams,
  Leftover,
  LogOptions,
  ObservedCluster,
  Provider,
  TransferOptions,
} from '../provider.ts';
import { carryOut, removesAll } from '../shared/imperative.ts';
import { type ConvergeContext, hostsDriver } from './converge.ts';
import { sendArtifact } from './artifacts.ts';
import { Clusters } from './clusters.ts';
import type * as Request from './agent/requests.ts';
import { destroyCluster } from './destroy.ts';
import type { UnitOptions, UnitScope } from './agent/units.ts';
import { type HostFacts, architectureOf } from './facts.ts';
import type { Host } from './host.ts';
import { Hosts } from './hosts.ts';
import { observedProcesses } from './observe.ts';
import type { StandaloneOptions } from './options.ts';
import { findLeftovers, removeLeftover } from './leftovers.ts';
import { type RuntimeArchive, installRuntime } from './runtimes.ts';
import { reachRest } from './rest-way.ts';

export class StandaloneProvider implements Provider {
  readonly name = 'standalone';
  readonly capabilities: Capabilities = {
    exec: true,
    tty: false,
    liveLogs: true,
    restartOne: true,
    commonFiles: false,
  };
  readonly #options: StandaloneOptions;
  readonly #config: ResolvedStandalone;
  readonly #hosts: Hosts;
  readonly #clusters: Clusters;
  readonly #relays = new LoopbackRelays();
  #archive: Promise<RuntimeArchive> | null = null;

  constructor(options: StandaloneOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#hosts = new Hosts(options.config, options.host);
    this.#clusters = new Clusters(this.#hosts, options.config.hosts, async () => {
      const { findHostProblems } = await import('./preflight.ts');
      return findHostProblems(this.#hosts, options.config);
    });
  }

  warmUp(): void {
    void this.#hosts.ask(this.#hosts.configured, (host) => host.agent());
  }

  async preflight(spec: ClusterSpec, { signal }: Call) {
    const { findProblems } = await import('./preflight.ts');
    const view = await this.#clusters.view(spec.clusterId);
    return findProblems(this.#hosts, this.#config, spec, view, signal);
  }

  /** @throws ProviderError when no host answers. */
  async list({ signal }: Call): Promise<ClusterList> {
    const outcomes = await this.#hosts.ask(this.#hosts.configured, (host) =>
      host.look<readonly string[]>('list', {}, { signal }),
    );
    const answers = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value ?? []] : []));
    const errors = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]));
    if (answers.length === 0) throwAll(errors);
    const silent: Problem[] = [];
    for (const error of errors) {
      if (!(error instanceof ProviderError)) throw error;
      silent.push(...error.problems);
    }
    const clusters = new Set(answers.flat().filter(isClusterId));
    return { clusters: [...clusters].sort(), silent };
  }

  async observe(clusterId: ClusterId): Promise<ObservedCluster | null> {
    const view = await this.#clusters.view(clusterId);
    const isKnown = view.views.size > 0;
    if (!isKnown && view.silent.size > 0) throw await this.#clusters.silence(view.silent); // C4
    if (!isKnown) return null;
    return { clusterId, processes: observedProcesses(view, this.#config.hosts) };
  }

  watch(clusterId: ClusterId, call: Call): AsyncIterable<ObservedCluster | null> {
    return watchByPolling(() => untilAborted(call.signal, this.observe(clusterId)), call);
  }

  record(clusterId: ClusterId): RecordStore {
    return this.#clusters.record(clusterId);
  }

  artifacts(clusterId: ClusterId): ArtifactStore {
    const holder = async () => (await this.#clusters.recordHost(clusterId))?.host ?? null;
    return {
      maxBytes: null,
      has: async (hash, { signal }) =>
        (await (await holder())?.look<boolean>('hasArtifact', { clusterId, hash }, { signal })) ??
        false,
      list: async ({ signal }) =>
        (await (await holder())?.look<string[]>('listArtifacts', { clusterId }, { signal })) ?? [],
      remove: async (hash, { signal }) => {
        await (await holder())?.call('removeArtifact', { clusterId, hash }, { signal });
      },
      put: async (artifact, options) => {
        const host = await holder();
        if (host === null) throw noRecord(clusterId);
        return sendArtifact(host, clusterId, artifact, options);
      },
    };
  }

  async install(runtime: RuntimeRef, options: TransferOptions): Promise<void> {
    refuseOtherRuntime(runtime, this.name);
    const archive = await this.#runtime(options.signal);
    const outcomes = await this.#hosts.ask(this.#hosts.configured, (host) =>
      installRuntime(host, archive, options),
    );
    options.signal.throwIfAborted();
    throwAll(outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error])));
  }

  /** Of the hosts' architecture; preflight made sure that there is but one. Made once. */
  #runtime(signal: AbortSignal): Promise<RuntimeArchive> {
    this.#archive ??= this.#hosts.configured[0]!.facts().then(({ machine }) =>
      this.#options.runtimeArchive(architectureOf(machine) ?? 'x64', signal),
    );
    const made = this.#archive;
    made.catch(() => (this.#archive = null));
    return made;
  }

  async converge(desired: ClusterSpec, plan: Plan, options: ConvergeOptions): Promise<void> {
    const { fence, signal } = options;
    signal.throwIfAborted();
    await checkFence(this.record(desired.clusterId), fence); // C2
    const context: ConvergeContext = {
      hosts: this.#hosts,
      clusters: this.#clusters,
      candidates: this.#config.hosts,
      storageScope: 'separate',
      runtime: async () => (await this.#runtime(signal)).hash,
      unit: (host) => this.#unit(host),
      isLast: desired.transient && removesAll(plan),
      fence,
      signal,
    };
    const driver = await hostsDriver(context, desired);
    await carryOut(plan, driver, options, this.#config.parallel);
  }

  async #unit(host: Host): Promise<UnitOptions | null> {
    const { supervisor } = this.#config;
    const scope = supervisor === 'script' ? null : unitScope(supervisor, await host.facts());
    return scope && { scope, template: await this.#options.unitTemplate() };
  }

  async secrets(clusterId: ClusterId, { signal }: Call) {
    const record = await this.#clusters.recordHost(clusterId);
    const ask = { clusterId };
    return (
      (await record?.host.look<Readonly<Record<string, string>>>('secrets', ask, { signal })) ??
      null
    );
  }

  async connect(clusterId: ClusterId, { signal }: Call): Promise<ClusterConnection | null> {
    const record = await this.#clusters.recordHost(clusterId);
    const found = await record?.host.look<Request.Endpoint>('endpoint', { clusterId }, { signal });
    if (!record || !found) return null;
    const { document, secrets } = found;
    const url = await reachRest(this.#relays, document.rest, record.host, this.#config.rest);
    return connectionTo(document, url, secrets?.['token'] ?? null);
  }

  async logs(clusterId: ClusterId, name: string, options: LogOptions): Promise<Readable> {
    const host = await this.#hostOf(clusterId, name);
    const { signal, ...rest } = options;
    const stdout = new PassThrough();
    // So that an error that comes at once is the caller's.
    const started = Promise.withResolvers<void>();
    stdout.once('readable', started.resolve);
    host.call('logs', { clusterId, process: name, options: rest }, { signal, stdout }).then(
      () => stdout.end(),
      (error: Error) => {
        started.reject(error);
        if (signal.aborted) stdout.end();
        else stdout.destroy(error);
      },
    );
    stdout.once('finish', started.resolve);
    stdout.once('close', started.resolve);
    if (options.follow) signal.addEventListener('abort', () => started.resolve(), { once: true });
    await started.promise;
    return stdout;
  }

  async exec(
    clusterId: ClusterId,
    name: string,
    command: readonly string[],
    { signal, stderr, stdin, stdout }: ExecStreams,
  ): Promise<number> {
    const host = await this.#hostOf(clusterId, name);
    const request = { clusterId, process: name, command, hasInput: stdin !== null };
    return host.call<number>('exec', request, { signal, stderr, stdin, stdout });
  }

  /** Where a process is, or was at last. @throws ClusterError (exit 7) when nobody has it. */
  async #hostOf(clusterId: ClusterId, name: string): Promise<Host> {
    const view = await this.#clusters.view(clusterId);
    const placed = view.placement.processes[name];
    if (placed) return this.#hosts.find(placed.host);
    for (const [host, { processes }] of view.views) {
      if (processes.some(({ observed }) => observed.name === name)) return host;
    }
    const [error] = view.silent.values();
    if (error !== undefined) throw error; // C4
    throw noSuchProcess(clusterId, name);
  }

  async destroy(clusterId: ClusterId, options: DestroyOptions): Promise<readonly string[]> {
    const kept = await destroyCluster(this.#hosts, this.#clusters, clusterId, options);
    this.#clusters.forget(clusterId);
    return kept;
  }

  async prune({ signal }: Call): Promise<readonly string[]> {
    const outcomes = await this.#hosts.ask(this.#hosts.configured, async (host) => {
      signal.throwIfAborted();
      const removed = await host.look<readonly string[]>('prune', {}, { signal });
      return (removed ?? []).map((path) => `${host.address}: ${path}`);
    });
    signal.throwIfAborted();
    throwAll(outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error])));
    return outcomes.flatMap((outcome) => (outcome.ok ? outcome.value : []));
  }

  leftovers(call: Call): Promise<readonly Leftover[]> {
    return findLeftovers(this.#hosts, this.#clusters, call);
  }

  async remove(leftover: Leftover, call: Call): Promise<void> {
    await removeLeftover(this.#hosts, this.#clusters, leftover, call);
    this.#clusters.forget(leftover.clusterId);
  }

  async close(): Promise<void> {
    this.#options.host.connection.credentials.prompts.close();
    await this.#relays.close();
    await this.#hosts.close();
  }
}

/** `auto`: a unit where it stays when the user logs out. */
function unitScope(
  supervisor: 'auto' | 'systemd' | 'systemd-user',
  { isRoot, systemd }: HostFacts,
): UnitScope | null {
  if (supervisor !== 'auto') return supervisor === 'systemd' ? 'system' : 'user';
  if (systemd.system && isRoot) return 'system';
  return systemd.user && systemd.linger ? 'user' : null;
}

/** All problems of all errors at once; something else than a problem as it is. */
function throwAll(errors: readonly Error[]): void {
  const bug = errors.find((error) => !(error instanceof ProviderError));
  if (bug !== undefined) throw bug;
  const problems = errors.flatMap((error) => (error as ProviderError).problems);
  if (errors.length === 1) throw errors[0]!;
  if (problems.length > 0) throw new ProviderError(problems);
}

function noRecord(clusterId: ClusterId): ClusterError {
  const message = `there is no cluster ${clusterId}`;
  return new ClusterError(ExitCode.notFound, problem({ code: 'no-such-cluster', message }));
}
