/** Under which address a JobManager is reached, by what it is bound to. */
import { networkInterfaces } from 'node:os';

const wildcards: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

const bracketed = (host: string) => (host.includes(':') ? `[${host}]` : host);

/** From its own machine. */
export const localHost = (bind: string): string =>
  wildcards.has(bind) ? '127.0.0.1' : bracketed(bind);

/** The address that others are told. */
export function reachableHost(bind: string): string {
  if (!wildcards.has(bind)) return bracketed(bind);
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find((a) => !a.internal && a.family === 'IPv4')?.address ?? '127.0.0.1';
}
