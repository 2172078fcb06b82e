/**
 * Supervisors as units of systemd, of the system or of the user.
 *
 * N1  A unit is named by the folder of its process: whoever stops finds it without knowing how it was
 *     started, also when the config says something else by now.
 * N2  A unit is stopped before anything of it is killed: systemd would start it again.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { ProviderError, problem } from '../../../contract/errors.ts';
import { substitutePlaceholders } from '../../../contract/placeholders.ts';
import type { Launch, Launcher } from '../../local/launcher.ts';
import { exists } from '../../local/layout.ts';
import { writeWhole } from '../../shared/write-file.ts';

const run = promisify(execFile);

export type UnitScope = 'system' | 'user';

export interface UnitOptions {
  readonly scope: UnitScope;
  /** `templates/systemd/process.service`. */
  readonly template: string;
}

/** What the process may use above what it keeps to itself: code, stacks, buffers of the kernel. */
const headroomBytes = 256 * 1024 * 1024;

/** @param unit `null`: supervisors are processes of their own; units of before are found all the same. */
export function createUnitLauncher(
  unit: UnitOptions | null,
  environment: Readonly<Record<string, string | undefined>>,
): Launcher {
  const manager = new UnitManager(environment);
  return {
    starts: unit !== null,
    start: (launch) => manager.start(launch, unit!),
    stop: (folder) => manager.stop(folder),
  };
}

class UnitManager {
  readonly #environment: Readonly<Record<string, string | undefined>>;

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment;
  }

  #folderOf(scope: UnitScope): string {
    if (scope === 'system') return '/etc/systemd/system';
    const home = this.#environment['HOME'] ?? homedir();
    const config = this.#environment['XDG_CONFIG_HOME'] || join(home, '.config');
    return join(config, 'systemd', 'user');
  }

  async #systemctl(scope: UnitScope, ...args: string[]): Promise<void> {
    const user = scope === 'user' ? ['--user'] : [];
    const runtimeDir = this.#environment['XDG_RUNTIME_DIR'] || `/run/user/${process.getuid!()}`;
    const env = { ...this.#environment, XDG_RUNTIME_DIR: runtimeDir };
    await run('systemctl', [...user, '--quiet', ...args], { env });
  }

  async start(launch: Launch, { scope, template }: UnitOptions): Promise<void> {
    const folder = this.#folderOf(scope);
    const name = unitName(launch.folder);
    try {
      await writeWhole(join(folder, name), fillUnit(template, launch, scope));
      await this.#systemctl(scope, 'daemon-reload');
      await this.#systemctl(scope, 'enable', '--now', name);
    } catch (error) {
      await this.stop(launch.folder).catch(() => undefined);
      const said = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
      throw new ProviderError(
        problem({
          code: 'unit-not-started',
          message: `systemd does not start ${launch.name}: ${said.split('\n')[0]}`,
          hint: "set providers.standalone.supervisor to 'script'",
        }),
        { cause: error },
      );
    }
  }

  async stop(folder: string): Promise<void> {
    const name = unitName(folder);
    for (const scope of ['system', 'user'] as const) {
      const file = join(this.#folderOf(scope), name); // N1
      if (!(await exists(file))) continue;
      await this.#systemctl(scope, 'disable', '--now', name); // N2
      await rm(file, { force: true });
      await this.#systemctl(scope, 'daemon-reload');
    }
  }
}

/** N1 */
export function unitName(folder: string): string {
  const mark = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  return `fctl-${basename(folder)}-${mark}.service`;
}

/** Fills the template with what is to be started. */
export function fillUnit(template: string, launch: Launch, scope: UnitScope): string {
  const { clusterId, command, cwd, environment, graceMs, name, out, resources } = launch;
  // Units older than those of systemd 240 append to no file themselves.
  const appending = ['/bin/sh', '-c', 'exec "$@" >>"$0" 2>&1', out, ...command];
  const variables = Object.entries(environment).filter(([, value]) => value !== undefined);
  return substitutePlaceholders(template, {
    name,
    cluster: clusterId,
    command: appending.map(commandWord).join(' '),
    directory: cwd.replaceAll('%', '%%'),
    environment: variables
      .map(([key, value]) => `Environment=${word(`${key}=${value}`)}`)
      .join('\n'),
    grace: `${Math.ceil(graceMs / 1000) + 1}`,
    memory: String(resources.memoryBytes + headroomBytes),
    cpu: `${Math.max(1, Math.round(resources.cpu * 100))}%`,
    target: scope === 'system' ? 'multi-user.target' : 'default.target',
  });
}

/** systemd.syntax(7): C-like escapes within quotes, `%` begins a specifier. */
function word(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replaceAll('%', '%%');
  return `"${escaped}"`;
}

/** systemd.service(5): `$` begins a variable in command lines. */
const commandWord = (text: string) => word(text).replaceAll('$', () => '$$');
