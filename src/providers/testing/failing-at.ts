/**
 * A provider that fails at one of its calls: what a killed client, a broken connection or a refusing
 * platform does to an operation is tried out at every step of it, in turn.
 *
 * Calls are numbered from 1 in the order in which they are made, those of `record` and `artifacts`,
 * and each process that `converge` begins with included. `close` is never failed. What comes after the
 * failure works, so that whoever cleans up can, unless the client is to be dead from then on.
 */
import type { Action } from '../../contract/plan.ts';
import type { RecordStore } from '../../record/store.ts';
import type { ArtifactStore, Provider } from '../provider.ts';

export interface FailingAt {
  readonly provider: Provider;
  /** What was called so far: `observe`, `record.write lock`. */
  readonly calls: readonly string[];
  /** What was called when it failed: `converge`, `record.write lock`; `null`: it has not. */
  readonly failed: string | null;
}

/** When the call fails: before anything is done, or after all of it was. */
export type FailingMoment = 'before' | 'after';

/**
 * @param k number of the call that fails; 0: none, which counts them.
 * @param thereafter whether later calls work; a client that was killed makes none.
 * @param fail makes the error, or aborts a signal, or does something else that a test wants to happen there.
 */
export function failingAt(
  provider: Provider,
  k: number,
  fail: () => Error,
  moment: FailingMoment = 'before',
  thereafter: 'alive' | 'dead' = 'alive',
): FailingAt {
  const state = { calls: [] as string[], failed: null as string | null };

  const isDead = () => thereafter === 'dead' && state.failed !== null;

  async function counted<T>(name: string, call: () => Promise<T>): Promise<T> {
    if (isDead()) throw fail();
    const isMine = state.calls.push(name) === k;
    if (isMine) state.failed = name;
    if (isMine && moment === 'before') throw fail();
    const result = await call();
    if (isMine) throw fail();
    return result;
  }

  /** A part of a call, which fails before it. */
  function begin(name: string): void {
    if (isDead()) throw fail();
    if (state.calls.push(name) !== k) return;
    state.failed = name;
    throw fail();
  }

  const recordOf = (store: RecordStore): RecordStore => ({
    maxBytes: store.maxBytes,
    read: (names, call) =>
      counted(`record.read ${names?.join(' ') ?? ''}`.trim(), () => store.read(names, call)),
    write: (name, value, expected, call) =>
      counted(`record.write ${name}`, () => store.write(name, value, expected, call)),
  });
  const artifactsOf = (store: ArtifactStore): ArtifactStore => ({
    maxBytes: store.maxBytes,
    has: (hash, call) => counted('artifacts.has', () => store.has(hash, call)),
    put: (artifact, options) => counted('artifacts.put', () => store.put(artifact, options)),
    list: (call) => counted('artifacts.list', () => store.list(call)),
    remove: (hash, call) => counted('artifacts.remove', () => store.remove(hash, call)),
  });
  const failing: Provider = {
    name: provider.name,
    capabilities: provider.capabilities,
    ...(provider.warmUp && { warmUp: () => provider.warmUp!() }),
    preflight: (spec, call) => counted('preflight', () => provider.preflight(spec, call)),
    list: (call) => counted('list', () => provider.list(call)),
    observe: (id, call) => counted('observe', () => provider.observe(id, call)),
    watch: (id, call) => provider.watch(id, call),
    record: (id) => recordOf(provider.record(id)),
    artifacts: (id) => artifactsOf(provider.artifacts(id)),
    install: (runtime, options) => counted('install', () => provider.install(runtime, options)),
    converge: (desired, plan, options) =>
      counted('converge', () => {
        const onStep = (action: Action) => {
          begin(`converge ${action.process}`);
          options.onStep(action);
        };
        return provider.converge(desired, plan, { ...options, onStep });
      }),
    secrets: (id, call) => counted('secrets', () => provider.secrets(id, call)),
    connect: (id, call) => counted('connect', () => provider.connect(id, call)),
    logs: (id, name, options) => counted('logs', () => provider.logs(id, name, options)),
    ...(provider.exec && {
      exec: (id, name, command, io) => counted('exec', () => provider.exec!(id, name, command, io)),
    }),
    destroy: (id, options) => counted('destroy', () => provider.destroy(id, options)),
    prune: (call) => counted('prune', () => provider.prune(call)),
    leftovers: (call) => counted('leftovers', () => provider.leftovers(call)),
    remove: (leftover, call) => counted('remove', () => provider.remove(leftover, call)),
    close: () => provider.close(),
  };
  return {
    provider: failing,
    get calls() {
      return state.calls;
    },
    get failed() {
      return state.failed;
    },
  };
}
