/** `node:fs/promises` of which one call fails, stands still, is the last of its process, or of its machine. */
import type * as FileSystem from 'node:fs/promises';
import { join } from 'node:path';

export const Fault = {
  /** The process ends before the call does anything. */
  killedBefore: 'killed before',
  /** The process ends when the call is done, and nobody is told. */
  killedAfter: 'killed after',
  /** The call fails and does nothing. */
  failed: 'failed',
  /** The call fails although it was carried out. */
  failedAfterwards: 'failed after',
  /** Power fails before the call: what was not synced is gone. */
  powerCut: 'power cut before',
} as const;
export type Fault = (typeof Fault)[keyof typeof Fault];

type Act = () => Promise<unknown>;

export class FaultyFiles {
  #original!: typeof FileSystem;
  #fault: { readonly kind: Fault; readonly at: number } | null = null;
  #stall: {
    readonly at: number;
    readonly reached: () => void;
    readonly gate: Promise<void>;
  } | null = null;
  #calls = 0;
  #isDead = false;
  /** What a power cut leaves of the folder, by name; `null`: nothing is looked after. */
  #durable: Map<string, string> | null = null;
  #folder = '';
  readonly #synced = new Set<number>();
  /** The call that was hit; `null`: there were not so many. */
  hit: string | null = null;

  /** Counts calls from here on; the one with number `at` (from 1) is hit. */
  set(kind: Fault, at: number): void {
    this.#begin();
    this.#fault = { kind, at };
  }

  /** The call with this number waits for the gate. Resolves when it is reached, if ever. */
  stall(at: number, gate: Promise<void>): Promise<void> {
    this.#begin();
    const reached = Promise.withResolvers<void>();
    this.#stall = { at, reached: reached.resolve, gate };
    return reached.promise;
  }

  #begin(): void {
    this.clear();
    this.#calls = 0;
    this.hit = null;
  }

  /** Everything works from now on. */
  clear(): void {
    this.#fault = null;
    this.#stall = null;
    this.#isDead = false;
  }

  /** From now on a power cut leaves of this folder what is there now, and what is synced later. */
  async lookAfter(folder: string): Promise<void> {
    this.#folder = folder;
    for (const file of await this.#original.readdir(folder))
      this.#synced.add((await this.#original.stat(join(folder, file))).ino);
    await this.#syncFolder();
  }

  /** Entries of the folder become durable; files whose content was not synced are empty. */
  async #syncFolder(): Promise<void> {
    const { readFile, readdir, stat } = this.#original;
    const durable = new Map<string, string>();
    for (const file of await readdir(this.#folder)) {
      const path = join(this.#folder, file);
      const isSynced = this.#synced.has((await stat(path)).ino);
      durable.set(file, isSynced ? await readFile(path, 'utf8') : '');
    }
    this.#durable = durable;
  }

  async #cutPower(): Promise<void> {
    const { readdir, unlink, writeFile } = this.#original;
    for (const file of await readdir(this.#folder)) await unlink(join(this.#folder, file));
    for (const [file, content] of this.#durable ?? [])
      await writeFile(join(this.#folder, file), content);
    this.#synced.clear();
  }

  async #around(name: string, act: Act): Promise<unknown> {
    if (this.#isDead) throw new Error('this process has been killed');
    this.#calls++;
    const stall = this.#stall;
    if (stall?.at === this.#calls) {
      this.hit = name;
      this.#stall = null;
      stall.reached();
      await stall.gate;
    }
    const fault = this.#fault;
    if (fault?.at !== this.#calls) return act();
    this.hit = name;
    const { kind } = fault;
    const failure = Object.assign(new Error(`EIO: i/o error, ${name}`), { code: 'EIO' });
    if (kind === Fault.failed) throw failure;
    if (kind === Fault.killedAfter || kind === Fault.failedAfterwards) await act();
    if (kind === Fault.failedAfterwards) throw failure;
    this.#isDead = true;
    if (kind === Fault.powerCut) await this.#cutPower();
    throw new Error('this process has been killed');
  }

  wrap(original: typeof FileSystem): typeof FileSystem {
    this.#original = original;
    const names = ['link', 'mkdir', 'readFile', 'readdir', 'stat', 'unlink'] as const;
    const wrapped = names.map((name) => {
      const call = original[name] as (...args: unknown[]) => Promise<unknown>;
      return [name, (...args: unknown[]) => this.#around(name, () => call(...args))];
    });
    const open = async (...args: Parameters<typeof original.open>) => {
      let handle!: FileSystem.FileHandle;
      try {
        await this.#around('open', async () => (handle = await original.open(...args)));
      } catch (error) {
        await (handle as FileSystem.FileHandle | undefined)?.close();
        throw error;
      }
      return {
        writeFile: (text: string) => this.#around('write', () => handle.writeFile(text)),
        sync: () =>
          this.#around('sync', async () => {
            if (args[0] === this.#folder) return this.#syncFolder();
            this.#synced.add((await handle.stat()).ino);
          }),
        close: async () => {
          await handle.close(); // also of a process that was killed
          await this.#around('close', async () => {});
        },
      };
    };
    return { ...original, ...Object.fromEntries(wrapped), open } as typeof FileSystem;
  }
}
