import type { Provider } from '../provider.ts';
import type { StandaloneOptions } from './options.ts';
import { withDoor } from '../shared/door.ts';
import { StandaloneProvider } from './provider.ts';

export { resolveStandaloneOptions } from './options.ts';

export function createStandaloneProvider(options: StandaloneOptions): Provider {
  return withDoor(new StandaloneProvider(options));
}
