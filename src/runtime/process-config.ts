/**
 * The config of this process: the file of its role, and what its environment says of it alone.
 *
 * What a file says itself counts: processes that an older version started have files of their own, and are
 * started again from those.
 */
import { readFile } from 'node:fs/promises';
import { ProcessEnvironment, portVariable } from '../contract/environment.ts';
import type {
  JobManagerConfig,
  JobManagerFile,
  TaskManagerConfig,
  TaskManagerFile,
} from '../contract/runtime-config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export async function readJobManagerConfig(environment: Environment): Promise<JobManagerConfig> {
  const file = await readFileOf<JobManagerFile>(environment);
  const { application, rest } = file;
  const port = Number(environment[portVariable('rest')]);
  return {
    ...placement(environment, file),
    ...file,
    // An older file has the port as text.
    rest: {
      ...rest,
      port: 'port' in rest ? Number(rest.port) : port,
      bind: bindOf(environment, rest),
    },
    application: application && { workingDirectory: process.cwd(), ...application },
  };
}

export async function readTaskManagerConfig(environment: Environment): Promise<TaskManagerConfig> {
  const file = await readFileOf<TaskManagerFile & { readonly bind?: string }>(environment);
  return {
    ...placement(environment, file),
    advertise: environment[ProcessEnvironment.address] ?? null,
    workingDirectory: process.cwd(),
    ...file,
    bind: bindOf(environment, file),
  };
}

function bindOf(environment: Environment, { bind }: { readonly bind?: string | null }): string {
  return bind ?? needed(environment, ProcessEnvironment.bind);
}

function placement(environment: Environment, file: object) {
  const from = (key: string, variable: string) =>
    key in file ? {} : { [key]: needed(environment, variable) };
  return {
    ...from('resourceId', ProcessEnvironment.processName),
    ...from('release', ProcessEnvironment.release),
    ...from('record', ProcessEnvironment.record),
    ...from('workDir', ProcessEnvironment.workDir),
  } as Pick<TaskManagerConfig, 'resourceId' | 'release' | 'record' | 'workDir'>;
}

async function readFileOf<T>(environment: Environment): Promise<T> {
  return JSON.parse(await readFile(needed(environment, ProcessEnvironment.config), 'utf8')) as T;
}

function needed(environment: Environment, variable: string): string {
  const value = environment[variable];
  if (value !== undefined) return value;
  throw new Error(`the environment of the process has no ${variable}: a provider sets it`);
}
