/** All hosts that a provider deals with: those of the config, and those that clusters remember. */
import type { ResolvedStandalone } from '../../config/providers/standalone.ts';
import type { SavedHost } from './agent/host-document.ts';
import { Host, type HostOptions } from './host.ts';
import { Slots } from './ssh/slots.ts';

/** What came of asking one host. */
export type Outcome<T> =
  | { readonly host: Host; readonly ok: true; readonly value: T }
  | { readonly host: Host; readonly ok: false; readonly error: Error };

export class Hosts {
  /** Those of the config, in its order. */
  readonly configured: readonly Host[];
  readonly #options: HostOptions;
  readonly #config: ResolvedStandalone;
  readonly #remembered = new Map<string, Host>();

  constructor(config: ResolvedStandalone, options: HostOptions) {
    this.#config = config;
    this.#options = options;
    this.configured = config.hosts.map(
      (host, index) => new Host(host, `/providers/standalone/hosts/${index}`, options),
    );
  }

  /** The host that a cluster remembers; logins of the config count for those that are in it. */
  find(saved: SavedHost): Host {
    const configured = this.configured.find((host) => host.address === saved.address);
    if (configured) return configured;
    const key = JSON.stringify([saved.address, saved.user, saved.port, saved.jump]);
    const known = this.#remembered.get(key);
    if (known) return known;
    const { login } = this.#config;
    const host = new Host(
      {
        address: saved.address,
        user: saved.user ?? login.user,
        port: saved.port ?? login.port,
        identityFile: login.identityFile,
        jump: saved.jump ?? login.jump,
      },
      null,
      this.#options,
    );
    this.#remembered.set(key, host);
    return host;
  }

  /** Asks hosts at the same time, `parallel` of them. Never rejects. */
  async ask<T>(
    hosts: readonly Host[],
    question: (host: Host) => Promise<T>,
  ): Promise<Outcome<T>[]> {
    const slots = new Slots(this.#config.parallel);
    return Promise.all(
      hosts.map(async (host): Promise<Outcome<T>> => {
        const release = await slots.take();
        try {
          return { host, ok: true, value: await question(host) };
        } catch (error) {
          return { host, ok: false, error: error as Error };
        } finally {
          release();
        }
      }),
    );
  }

  async close(): Promise<void> {
    const all = [...this.configured, ...this.#remembered.values()];
    await Promise.all(all.map((host) => host.close()));
  }
}
