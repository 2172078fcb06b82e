export { resolveLocalOptions, type LocalOptions } from './options.ts';
export { createLocalProvider } from './provider.ts';
