/**
 * A file that is appended to and rotated by size: `NAME`, then `NAME.1` (newest) to `NAME.N`.
 *
 * R1  Every write is synchronous: whatever was written is in the file when the process ends, however it
 *     ends.
 * R2  The current file keeps its inode. A provider opens `NAME.out` itself, as the process's stderr, so
 *     that the last words of a crashing process stand in the newest file: rotation copies and truncates.
 * R3  Losing log lines must not lose a job: a write that fails (disk full) drops its text and is counted;
 *     `dropped` says how many.
 * R4  An old log is removed only when the copy that takes its place is whole. Where there is no room for
 *     that, the current file grows on, if anything can, and rotation is tried again when it has grown by a
 *     tenth of its limit, or after `retryMs`.
 */
import {
  closeSync,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export interface RotationOptions {
  readonly directory: string;
  readonly maxSizeBytes: number;
  /** How many rotated files are kept beside the current one. */
  readonly maxFiles: number;
}

/** R4 */
const retryMs = 60_000;

export class RotatingFile {
  /** Writes that failed. */
  dropped = 0;
  private readonly path: string;
  private readonly options: RotationOptions;
  private fd: number | null;
  private size: number;
  /** The last rotation, when that failed: at which size, and when by the monotonic clock. */
  private failed: { readonly at: number; readonly size: number } | null = null;

  /** @throws Error when the folder or file cannot be made. */
  constructor(name: string, options: RotationOptions) {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    this.path = join(options.directory, name);
    this.options = options;
    this.fd = openSync(this.path, 'a+', 0o600);
    this.size = fstatSync(this.fd).size;
  }

  write(text: string | Uint8Array): void {
    if (this.fd === null) return;
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    try {
      if (this.isRotationDue(bytes.length)) this.rotate(this.fd);
      for (let at = 0; at < bytes.length;) at += writeSync(this.fd, bytes, at); // R1
      this.size += bytes.length;
    } catch {
      this.dropped++; // R3
    }
  }

  close(): void {
    if (this.fd === null) return;
    closeSync(this.fd);
    this.fd = null;
  }

  private isRotationDue(bytes: number): boolean {
    const { maxSizeBytes } = this.options;
    if (this.size === 0 || this.size + bytes <= maxSizeBytes) return false;
    if (this.failed === null) return true;
    const { at, size } = this.failed;
    return this.size >= size + maxSizeBytes / 10 || performance.now() - at >= retryMs; // R4
  }

  private rotate(fd: number): void {
    const { maxFiles } = this.options;
    const rotated = (number: number) => `${this.path}.${number}`;
    if (maxFiles > 0) {
      const copy = `${this.path}.new`;
      try {
        copyFileSync(this.path, copy);
      } catch (error) {
        rmSync(copy, { force: true });
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
        this.failed = { at: performance.now(), size: this.size }; // R4
        return;
      }
      rmSync(rotated(maxFiles), { force: true });
      for (let number = maxFiles - 1; number >= 1; number--)
        renameIfThere(rotated(number), rotated(number + 1));
      renameSync(copy, rotated(1));
    }
    ftruncateSync(fd); // R2
    this.size = 0;
    this.failed = null;
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
