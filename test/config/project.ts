/** A folder with a config file, and ways to load it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type ConfigSources,
  type LoadedConfig,
  type SourceOptions,
  openConfig,
} from '../../src/config/load.ts';
import { ConfigError, type Problem } from '../../src/contract/errors.ts';

/** A problem as one line: `3:10 /taskmanager/slots invalid-value`. */
export const brief = ({ line, column, path, code }: Problem) =>
  `${line ?? '-'}:${column ?? '-'} ${path ?? '-'} ${code}`;

type Options = Partial<SourceOptions> & { readonly requireApplication?: boolean };

export class Project {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Ends with `await using`. */
  static async with(files: Readonly<Record<string, string>>): Promise<Project> {
    const project = new Project(await mkdtemp(join(tmpdir(), 'fctl-config-')));
    // Where the search for a config file ends.
    await project.write('package.json', '{}');
    for (const [path, content] of Object.entries(files)) await project.write(path, content);
    return project;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async write(path: string, content: string): Promise<void> {
    await mkdir(dirname(join(this.folder, path)), { recursive: true });
    await writeFile(join(this.folder, path), content);
  }

  open(options: Partial<SourceOptions> = {}): Promise<ConfigSources> {
    return openConfig({
      cwd: this.folder,
      configPath: null,
      environment: null,
      provider: null,
      set: [],
      env: {},
      ...options,
    });
  }

  async load({ requireApplication = false, ...options }: Options = {}): Promise<LoadedConfig> {
    const sources = await this.open(options);
    return await sources.load({ requireApplication, set: [] });
  }

  /** What is wrong with it; nothing when it loads. */
  async problems(options: Options = {}): Promise<readonly Problem[]> {
    try {
      await this.load(options);
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  }
}

/** Problems of one YAML file. */
export async function problemsOf(yaml: string, options: Options = {}): Promise<readonly Problem[]> {
  await using project = await Project.with({ 'fctl.config.yaml': yaml, 'app.ts': '' });
  return await project.problems(options);
}

/** One YAML file, loaded. */
export async function load(yaml: string, options: Options = {}): Promise<LoadedConfig> {
  await using project = await Project.with({ 'fctl.config.yaml': yaml, 'app.ts': '' });
  return await project.load(options);
}
