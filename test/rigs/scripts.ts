/**
 * What the scripts `up` and `down` of a rig make and remove: `up` prints KEY=VALUE lines, the first of which
 * is the folder of what it made, by which the rig's other scripts are told what they are about.
 *
 * Whatever was made is removed at the end of this process at the latest; where that is killed, the next `up`
 * does it. What a process hands over by its environment belongs to it still: others use it, and remove nothing.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { basename, join } from 'node:path';
import { execa } from 'execa';

export class Scripts {
  /** Where it lies at run time. */
  readonly folder: string;
  /** What `up` printed. */
  readonly said: ReadonlyMap<string, string>;
  readonly #rig: string;
  /** Null: another process made it, and removes it. */
  readonly #end: (() => void) | null;

  private constructor(rig: string, lines: readonly string[], end: (() => void) | null) {
    this.#rig = rig;
    this.#end = end;
    this.said = new Map(lines.map((line) => line.split('=', 2) as [string, string]));
    this.folder = lines[0]!.split('=')[1]!;
  }

  /**
   * Runs `up` in the folder of a rig.
   * @throws when it fails, with what it says; then it has removed what it had made
   */
  static async up(rig: string, ...args: readonly string[]): Promise<Scripts> {
    const owner = ['--owner', `${process.pid}`];
    // A process group of its own, which ends as a whole.
    const up = execa(join(rig, 'up'), [...owner, ...args], { stdin: 'ignore', detached: true });
    let running = true;
    const end = () => {
      if (running) process.kill(-up.pid!, 'SIGKILL');
      spawnSync(join(rig, 'down'), owner);
    };
    process.once('exit', end);
    try {
      const { stdout } = await up;
      return new Scripts(rig, stdout.split('\n'), end);
    } catch (error) {
      process.off('exit', end);
      throw error;
    } finally {
      running = false;
    }
  }

  /** What another process started for all that it runs; null: nothing. */
  static handedOver(rig: string): Scripts | null {
    const said = process.env[variableOf(rig)];
    return said === undefined ? null : new Scripts(rig, said.split('\n'), null);
  }

  /** A variable of the environment by which other processes share it. */
  get handover(): Readonly<Record<string, string>> {
    const lines = [...this.said].map((line) => line.join('='));
    return { [variableOf(this.#rig)]: lines.join('\n') };
  }

  /** Whether others use it too, before, after or meanwhile. */
  get isShared(): boolean {
    return this.#end === null;
  }

  /** @throws when the script fails, with what it says */
  async run(script: string, ...args: readonly string[]): Promise<void> {
    await execa(join(this.#rig, script), [this.folder, ...args], { stdin: 'ignore' });
  }

  /** Can be repeated. What is shared stays. */
  async down(): Promise<void> {
    if (this.#end === null) return;
    await this.run('down');
    process.off('exit', this.#end);
  }
}

/** `FCTL_RIG_SSH_HOSTS`, of the rig in the folder ssh-hosts. */
const variableOf = (rig: string) => `FCTL_RIG_${basename(rig).replaceAll('-', '_').toUpperCase()}`;

/** Whether this is root, and all of the files can be executed. */
export function canRun(files: readonly string[]): boolean {
  try {
    for (const file of files) accessSync(file, constants.X_OK);
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}
