/** Small disks, which are soon full. */
import { execFileSync } from 'node:child_process';

/** Why this machine has none; `null`: it has. */
export const whyNoTmpfs = ((): string | null => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  try {
    // In a mount namespace of its own: nothing is left.
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'this machine lets nobody mount a tmpfs';
  }
})();

/** Makes an empty folder a disk of so many KiB while `use` runs. */
export async function onTmpfs(folder: string, kiB: number, use: () => Promise<void>) {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kiB}k`, 'tmpfs', folder]);
  try {
    await use();
  } finally {
    execFileSync('umount', ['-l', folder]); // its error would hide that of the test
  }
}
