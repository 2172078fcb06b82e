/**
 * A role template (`ProcessSpec`) and one of its instances at its place → what is started there. Pure. The only
 * place that knows the placeholders and the environment variables of the process contract.
 *
 * B1  Files come out byte for byte the same for all instances of a role at one place; what differs is in the
 *     environment. A platform may lay them once for all.
 * B2  A spec with a placeholder that nobody knows is refused before anything is started.
 */
import { ProcessEnvironment, portVariable } from '../../contract/environment.ts';
import { encodeInJson, substitutePlaceholders } from '../../contract/placeholders.ts';
import type { ProcessSpec } from '../../contract/process-spec.ts';

/** What a process is told of where it runs. */
export interface Place {
  /** Under which peers reach it; `null`: nobody knows beforehand. */
  readonly address: string | null;
  /** What its servers listen on. */
  readonly bind: string;
  readonly recordUrl: string;
  /** `null`: this place does not see the client's files. */
  readonly clientDir: string | null;
  readonly storageScope: 'common' | 'separate';
  /** Ports that were chosen for it, by name; the spec's count for the others. */
  readonly ports: Readonly<Record<string, number>>;
  /** Hash of the runtime that it was started with; absent: the one of this fctl. */
  readonly runtime?: string;
}

/** Where things lie there. Folders. */
export interface Paths {
  /** The Node.js executable. */
  readonly node: string;
  readonly runtime: string;
  /** Of the process alone: its inline files. */
  readonly process: string;
  /** Of the process alone: its working files. */
  readonly work: string;
  readonly logs: string;
  readonly secrets: string;
  readonly artifacts: string;
}

export interface Instance {
  /** `taskmanager-1` */
  readonly name: string;
  readonly index: number;
  readonly spec: ProcessSpec;
  readonly place: Place;
  readonly paths: Paths;
}

export interface RenderedProcess {
  /** Executable first. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Inline files, relative to the process's folder. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  readonly workingDirectory: string;
}

/** @throws Error for a placeholder that nobody knows (B2). */
export function renderProcess(instance: Instance): RenderedProcess {
  const { paths, place, spec } = instance;
  const values = { ...templateValues(instance), ...olderValues(instance) };
  const substitute = (text: string) => substitutePlaceholders(text, values);
  return {
    command: spec.command.map(substitute),
    environment: {
      ...Object.fromEntries(Object.entries(spec.environment).map(([k, v]) => [k, substitute(v)])),
      ...instanceEnvironment(instance),
    },
    files: spec.files.flatMap((file) => {
      if (file.type !== 'inline') return [];
      const encode = file.path.endsWith('.json') ? encodeInJson : undefined;
      return [{ path: file.path, content: substitutePlaceholders(file.content, values, encode) }];
    }),
    workingDirectory: place.clientDir ?? paths.work,
  };
}

/** The placeholders of process-spec.ts: equal for all instances of a role at one place (B1). */
function templateValues({ paths, place, spec }: Instance): Record<string, string> {
  return {
    'runtime.node': paths.node,
    'runtime.dir': paths.runtime,
    'process.dir': paths.process,
    'log.dir': paths.logs,
    'storage.scope': place.storageScope,
    ...Object.fromEntries(spec.secrets.map((s) => [`secret.${s}`, `${paths.secrets}/${s}`])),
    ...Object.fromEntries(
      spec.files.flatMap((file) =>
        file.type === 'artifact'
          ? [[`artifact.${file.hash}`, `${paths.artifacts}/${file.hash}`]]
          : [],
      ),
    ),
  };
}

/**
 * Of specs that versions before made, whose files were an instance's own: their clusters are scaled, and
 * their processes started again, from those.
 */
function olderValues({ index, name, paths, place, spec }: Instance): Record<string, string> {
  return {
    'record.url': place.recordUrl,
    'work.dir': paths.work,
    'client.dir': place.clientDir ?? paths.work,
    'self.name': name,
    'self.index': String(index),
    'self.release': spec.labels['fctl.dev/release'],
    'self.address': place.address ?? '',
    'self.bind': place.bind,
    ...Object.fromEntries(spec.ports.map((port) => [`port.${port.name}`, portOf(port, place)])),
  };
}

const portOf = ({ name, port }: ProcessSpec['ports'][number], { ports }: Place): string =>
  String(ports[name] ?? port);

/** What differs between the instances of a role. */
function instanceEnvironment({ index, name, paths, place, spec }: Instance) {
  return {
    [ProcessEnvironment.processName]: name,
    [ProcessEnvironment.processDir]: paths.process,
    [ProcessEnvironment.index]: String(index),
    [ProcessEnvironment.release]: spec.labels['fctl.dev/release'],
    [ProcessEnvironment.record]: place.recordUrl,
    [ProcessEnvironment.workDir]: paths.work,
    [ProcessEnvironment.bind]: place.bind,
    ...(place.address === null ? {} : { [ProcessEnvironment.address]: place.address }),
    ...Object.fromEntries(spec.ports.map((port) => [portVariable(port.name), portOf(port, place)])),
  };
}
