/** `node:fs/promises` of which one call fails, or is the last that a process makes. */
import type * as FileSystem from 'node:fs/promises';

type Call = (...args: never[]) => Promise<unknown>;

export const FaultKind = {
  /** The process ends before the call does anything; no call after it does either. */
  killedBefore: 'killed before',
  /** The process ends within the call: a write is half done, anything else is done. */
  killedWithin: 'killed within',
  /** The call fails, as on a faulty disk, and does nothing. The process goes on. */
  failed: 'failed',
} as const;
export type FaultKind = (typeof FaultKind)[keyof typeof FaultKind];

export class Faults {
  #kind: FaultKind = FaultKind.failed;
  /** Calls until it happens; 0: it has, or none is set. */
  #left = 0;
  #isDead = false;
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
    if (this.#kind === FaultKind.failed) {
      throw Object.assign(new Error(`EIO: i/o error, ${name}`), { code: 'EIO' });
    }
    this.#isDead = true;
    if (this.#kind === FaultKind.killedWithin) await half();
    throw new Error('this process has been killed');
  }

  wrap(original: typeof FileSystem): typeof FileSystem {
    const names = ['mkdir', 'readdir', 'readFile', 'rename', 'rm', 'stat'] as const;
    const wrapped = names.map((name) => {
      const call = original[name] as Call;
      return [name, (...args: never[]) => this.around(name, () => call(...args))];
    });
    const writeFile = (path: string, text: string, options: object) =>
      this.around(
        'writeFile',
        () => original.writeFile(path, text, options),
        () => original.writeFile(path, text.slice(0, text.length / 2)),
      );
    const open = async (...args: Parameters<typeof original.open>) => {
      let handle!: FileSystem.FileHandle;
      await this.around('open', async () => {
        handle = await original.open(...args);
        this.#open.add(handle);
      });
      return {
        appendFile: (text: string) =>
          this.around(
            'append',
            () => handle.appendFile(text),
            () => handle.appendFile(text.slice(0, text.length / 2)),
          ),
        sync: () => this.around('sync', () => handle.sync()),
        close: () =>
          this.around('close', async () => {
            await handle.close();
            this.#open.delete(handle);
          }),
      };
    };
    return { ...original, ...Object.fromEntries(wrapped), writeFile, open } as typeof FileSystem;
  }
}
