/** What stands for the placeholders of process-spec.ts on this machine. Pure. */
import { join } from 'node:path';
import type { PortSpec, ProcessSpec } from '../../contract/process-spec.ts';
import type { ClusterLayout } from './layout.ts';
import type { LocalOptions } from './options.ts';

/** Where a process runs, as far as it is told of it. */
export interface Place {
  readonly address: string;
  readonly bind: string;
  readonly jobManagerAddress: string;
  readonly recordUrl: string;
  /** `null`: this machine does not see the client's files. */
  readonly clientDir: string | null;
  readonly storageScope: 'common' | 'separate';
  /** Ports that were chosen for it, by name; the spec's count for the others. */
  readonly ports: Readonly<Record<string, number>>;
  /** Hash of the runtime that it was started with; absent: the one of this fctl. */
  readonly runtime?: string;
}

/** What was started: the content of a process's `spec.json`. */
export interface StartedProcess {
  readonly spec: ProcessSpec;
  readonly index: number;
  /** Absent in the files of older versions. */
  readonly place?: Place;
}

export function placeholderValues(
  options: Pick<LocalOptions, 'node' | 'runtimeDir'>,
  layout: ClusterLayout,
  name: string,
  { index, place, spec }: Required<StartedProcess>,
): Record<string, string> {
  const portOf = (port: PortSpec) => place.ports[port.name] ?? port.port;
  const work = join(layout.work, name);
  return {
    'runtime.node': options.node,
    'runtime.dir': options.runtimeDir,
    'process.dir': join(layout.processes, name),
    'record.url': place.recordUrl,
    'log.dir': layout.logs,
    'work.dir': work,
    'client.dir': place.clientDir ?? work,
    'self.name': name,
    'self.index': String(index),
    'self.release': spec.labels['fctl.dev/release'],
    'self.address': place.address,
    'self.bind': place.bind,
    'jobmanager.address': place.jobManagerAddress,
    'storage.scope': place.storageScope,
    ...Object.fromEntries(spec.ports.map((p) => [`port.${p.name}`, String(portOf(p))])),
    ...Object.fromEntries(spec.secrets.map((s) => [`secret.${s}`, join(layout.secrets, s)])),
    ...Object.fromEntries(
      spec.files.flatMap((f) =>
        f.type === 'artifact' ? [[`artifact.${f.hash}`, join(layout.artifacts, f.hash)]] : [],
      ),
    ),
  };
}
