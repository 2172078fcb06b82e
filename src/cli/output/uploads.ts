/** Uploads while they happen, and how many bytes they sent. */
import { basename } from 'node:path';
import type { UploadEvent } from '../../contract/application-messages.ts';
import { formatBytes } from '../../contract/units.ts';
import type { Progress } from './progress.ts';

export class Uploads {
  readonly #progress: Progress;
  #sentBytes = 0;

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  /** Over the network, in all. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  take(event: UploadEvent): void {
    const name = basename(event.file);
    if (event.type === 'uploading') this.under(name, event.doneBytes, event.totalBytes);
    else this.done(name, event.sentBytes, event.totalBytes);
  }

  under(name: string, doneBytes: number, totalBytes: number): void {
    this.#progress.view(() => {
      const percent = Math.floor((100 * doneBytes) / totalBytes);
      return `Uploading ${name}: ${percent}% of ${formatBytes(totalBytes)}`;
    });
  }

  done(name: string, sentBytes: number, totalBytes: number): void {
    this.#sentBytes += sentBytes;
    const size =
      sentBytes < totalBytes
        ? `${formatBytes(sentBytes)}, the rest of ${formatBytes(totalBytes)}`
        : formatBytes(totalBytes);
    this.#progress.done(`Uploaded ${name} (${size})`);
  }
}
