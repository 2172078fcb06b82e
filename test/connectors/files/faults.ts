/**
 * `node:fs/promises` of which one call fails, or is the last that a process makes, or waits while another
 * process does something.
 */
import type * as FileSystem from 'node:fs/promises';

type Call = (...args: never[]) => Promise<unknown>;

export const FaultKind = {
  /** The process ends before the call does anything; no call after it does either. */
  killedBefore: 'killed before',
  /**
   * The process ends within the call: a write is half done, of a folder that is removed the first file is
   * gone, anything else is done.
   */
  killedWithin: 'killed within',
  /** As within, but of a folder that is removed only the first file is left, and a write is done. */
  killedNearEnd: 'killed near the end of',
  /** The call fails, as on a faulty disk, and does nothing. The process goes on. */
  failed: 'failed',
  /** Another process does something before the call, which then goes on. */
  delayed: 'delayed',
} as const;
export type FaultKind = (typeof FaultKind)[keyof typeof FaultKind];

export class Faults {
  #kind: FaultKind = FaultKind.failed;
  /** Calls until it happens; 0: it has, or none is set. */
  #left = 0;
  #isDead = false;
  #meanwhile: () => Promise<unknown> = async () => {};
  readonly #open = new Set<FileSystem.FileHandle>();
  /** The call that it happened at; `null`: there were not so many. */
  hit: string | null = null;

  /** Lets it happen at call number `at` (from 1). */
  set(kind: FaultKind, at: number): void {
    this.#kind = kind;
    this.#left = at;
    this.hit = null;
    this.#isDead = false;
  }

  /** Before call number `at` (from 1) another process does something. */
  delay(at: number, meanwhile: () => Promise<unknown>): void {
    this.set(FaultKind.delayed, at);
    this.#meanwhile = meanwhile;
  }

  /** Everything works from now on. A killed process has no file open. */
  async clear(): Promise<void> {
    this.#left = 0;
    if (!this.#isDead) return;
    this.#isDead = false;
    await Promise.all([...this.#open].map((handle) => handle.close()));
    this.#open.clear();
  }

  /** `half`: what the call does when the process ends in the middle of it. */
  async around<T>(name: string, act: () => Promise<T>, half: () => Promise<unknown> = act) {
    if (this.#isDead) throw new Error('this process has been killed');
    if (this.#left === 0 || --this.#left > 0) return act();
    this.hit = name;
    if (this.#kind === FaultKind.delayed) {
      await this.#meanwhile();
      return act();
    }
    if (this.#kind === FaultKind.failed) {
      throw Object.assign(new Error(`EIO: i/o error, ${name}`), { code: 'EIO' });
    }
    this.#isDead = true;
    if (this.#kind === FaultKind.killedWithin) await half();
    if (this.#kind === FaultKind.killedNearEnd) await (name === 'rm' ? half() : act());
    throw new Error('this process has been killed');
  }

  /** Of a file: all of it. */
  async #removeHalf(original: typeof FileSystem, path: string): Promise<void> {
    const files = await original.readdir(path).catch(() => null);
    if (files === null) return original.rm(path, { force: true });
    const [first = [], ...others] = files.sort().map((name) => [`${path}/${name}`]);
    const removed = this.#kind === FaultKind.killedWithin ? first : others.flat();
    for (const file of removed) await original.rm(file);
  }

  wrap(original: typeof FileSystem): typeof FileSystem {
    const names = [
      'link',
      'lstat',
      'mkdir',
      'readdir',
      'readFile',
      'rename',
      'stat',
      'unlink',
    ] as const;
    const wrapped = names.map((name) => {
      const call = original[name] as Call;
      return [name, (...args: never[]) => this.around(name, () => call(...args))];
    });
    const rm = (path: string, options: object) =>
      this.around(
        'rm',
        () => original.rm(path, options),
        () => this.#removeHalf(original, path),
      );
    const open = async (...args: Parameters<typeof original.open>) => {
      let handle!: FileSystem.FileHandle;
      await this.around('open', async () => {
        handle = await original.open(...args);
        this.#open.add(handle);
      });
      return {
        appendFile: (bytes: Buffer) =>
          this.around(
            'append',
            () => handle.appendFile(bytes),
            () => handle.appendFile(bytes.subarray(0, bytes.length / 2)),
          ),
        read: (...args: Parameters<typeof handle.read>) =>
          this.around('read', () => handle.read(...args)),
        stat: () => this.around('fstat', () => handle.stat()),
        sync: () => this.around('sync', () => handle.sync()),
        close: () =>
          this.around('close', async () => {
            await handle.close();
            this.#open.delete(handle);
          }),
      };
    };
    return {
      ...original,
      ...Object.fromEntries(wrapped),
      rm,
      open,
    } as typeof FileSystem;
  }
}
