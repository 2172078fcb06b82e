/**
 * What the scripts `up` and `down` of a rig make and remove: `up` prints KEY=VALUE lines, the first of which
 * is the folder of what it made, by which the rig's other scripts are told what they are about.
 *
 * Whatever was made is removed at the end of this process at the latest; where that is killed, the next `up`
 * does it.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';

export class Scripts {
  /** Where it lies at run time. */
  readonly folder: string;
  /** What `up` printed. */
  readonly said: ReadonlyMap<string, string>;
  readonly #rig: string;
  readonly #end: () => void;

  private constructor(rig: string, lines: readonly string[], end: () => void) {
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

  /** @throws when the script fails, with what it says */
  async run(script: string, ...args: readonly string[]): Promise<void> {
    await execa(join(this.#rig, script), [this.folder, ...args], { stdin: 'ignore' });
  }

  /** Can be repeated. */
  async down(): Promise<void> {
    await this.run('down');
    process.off('exit', this.#end);
  }
}

/** Whether this is root, and all of the files can be executed. */
export function canRun(files: readonly string[]): boolean {
  try {
    for (const file of files) accessSync(file, constants.X_OK);
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}
