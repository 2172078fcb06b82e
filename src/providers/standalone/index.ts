import type { Provider } from '../provider.ts';
import type { StandaloneOptions } from './options.ts';
import { endsWithSignal } from '../shared/ends-with-signal.ts';
import { StandaloneProvider } from './provider.ts';

export { resolveStandaloneOptions } from './options.ts';

export function createStandaloneProvider(options: StandaloneOptions): Provider {
  return endsWithSignal(new StandaloneProvider(options));
}
