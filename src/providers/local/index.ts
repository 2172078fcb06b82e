export { resolveLocalOptions } from './options.ts';
export { createLocalProvider } from './provider.ts';
