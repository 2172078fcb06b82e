/** What a provider brings to be used by fctl: one object, named in registry.ts. */
import type { ProviderChoice } from '../config/provider-choice.ts';
import type { ProviderName } from '../config/providers/sections.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import type { ImagePlatform, ImageLayout, RuntimeImage } from './docker/options.ts';
import type { RuntimeFiles } from './local/runtimes.ts';
import type { Provider } from './provider.ts';
import type { RuntimeArchive } from './standalone/runtimes.ts';

/** What a provider is opened with. Nothing of it is made before it is asked for. */
export interface OpenContext {
  /** `null`: nobody has chosen a provider, and so it is the local one. */
  readonly choice: ProviderChoice | null;
  /** Folder with the runtime's entry points. */
  readonly runtimeDir: string;
  /** The Node.js that runs fctl. */
  readonly node: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asks for a secret on the terminal. Rejects with a UsageError when nobody is there. */
  readonly askSecret: (question: string, signal: AbortSignal) => Promise<string>;
  /** The runtime as files, for processes of this machine. */
  readonly runtimeFiles: () => Promise<RuntimeFiles>;
  /** The runtime as an archive, for machines that have none. */
  readonly runtimeArchive: (arch: 'x64' | 'arm64', signal: AbortSignal) => Promise<RuntimeArchive>;
  /** The runtime as an image, and what is where in it. */
  readonly runtimeImages: () => Promise<RuntimeImages>;
}

export interface RuntimeImages {
  readonly layout: ImageLayout;
  readonly make: (
    target: ImagePlatform,
    baseImage: string,
    onProgress: (message: string) => void,
    signal: AbortSignal,
  ) => Promise<RuntimeImage>;
}

export interface ProviderRegistration {
  /** As `provider` in the config names it; its section is in `config/providers/sections.ts`. */
  readonly name: ProviderName;
  /**
   * What of its section is a part of a release: where and how processes run, and nothing of how this client
   * gets there. Two clients that mean the same place say the same.
   */
  portable(providers: ResolvedConfig['providers']): object;
  /** Loads the provider, which a run that does not use it never does. */
  open(context: OpenContext): Promise<Provider>;
}
