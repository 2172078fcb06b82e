/** Paths as users write them. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Absolute; `~/` is the user's home, whatever else is relative is so to the folder. */
export function resolvePath(folder: string, path: string): string {
  return path === '~' || path.startsWith('~/')
    ? join(homedir(), path.slice(1))
    : resolve(folder, path);
}
