/** Logs of a process: its own files in the volume, and what the engine kept of its output. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import type { LogOptions } from '../provider.ts';
import { noLogs } from '../shared/refusals.ts';
import type { EngineClient } from './client.ts';
import { copyFrames } from './frames.ts';
import { startHelper } from './helper.ts';
import { Label } from './names.ts';
import type { DockerOptions } from './options.ts';
import type { ResourceStore } from './resources.ts';
import type { VolumeStore } from './volumes.ts';

export class LogReader {
  readonly #engine: EngineClient;
  readonly #options: DockerOptions;
  readonly #resources: ResourceStore;
  readonly #volumes: VolumeStore;

  constructor(
    engine: EngineClient,
    options: DockerOptions,
    resources: ResourceStore,
    volumes: VolumeStore,
  ) {
    this.#engine = engine;
    this.#options = options;
    this.#resources = resources;
    this.#volumes = volumes;
  }

  read(clusterId: ClusterId, process: string, options: LogOptions): Promise<Readable> {
    return options.stream === 'log'
      ? this.#files(clusterId, process, options)
      : this.#output(clusterId, process, options);
  }

  /** By a helper, which prints what the files hold: neither they nor polls for them cross the network. */
  async #files(
    clusterId: ClusterId,
    process: string,
    { follow, signal, tail }: LogOptions,
  ): Promise<Readable> {
    const found = await this.#resources.find(clusterId);
    if (found.identity === null) throw noLogs(clusterId, process, 'log');
    const folder = `${this.#options.layout.mountPath(clusterId)}/logs`;
    const args = ['logs', folder, `${process}.log`, JSON.stringify({ follow, tail })];
    const created = await this.#volumes.createHelper(found, `reads a log`, args);
    const started = await startHelper(this.#engine, created);
    const { stdin, stdout } = started;
    stdin.on('error', () => {});
    const end = () => stdin.end();
    signal.addEventListener('abort', end, { once: true });
    stdout.once('close', () => {
      signal.removeEventListener('abort', end);
      stdin.destroy();
    });
    if (signal.aborted) end();
    if ((await firstByte(stdout)) === '+') return stdout;
    stdin.destroy();
    throw noLogs(clusterId, process, 'log');
  }

  async #output(
    clusterId: ClusterId,
    process: string,
    { follow, signal, tail }: LogOptions,
  ): Promise<Readable> {
    const { processes } = await this.#resources.find(clusterId);
    const container = processes.find(({ Labels }) => Labels[Label.process] === process);
    if (container === undefined) throw noLogs(clusterId, process, 'out');
    const options = { stdout: true, stderr: true, ...(tail !== null && { tail }) };
    const output = new PassThrough();
    const stream = follow
      ? ((await this.#engine.ask((docker) =>
          docker.getContainer(container.Id).logs({ ...options, follow: true }),
        )) as Readable)
      : Readable.from([
          await this.#engine.ask((docker) =>
            docker.getContainer(container.Id).logs({ ...options, follow: false }),
          ),
        ]);
    const stop = () => stream.destroy();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const end = () => {
      signal.removeEventListener('abort', stop);
      output.end();
    };
    void copyFrames(stream, output, output).then(end, (error: Error) =>
      signal.aborted ? end() : output.destroy(error),
    );
    output.once('close', stop);
    return output;
  }
}

async function firstByte(stream: Readable): Promise<string> {
  for (;;) {
    const byte = stream.read(1) as Buffer | null;
    if (byte !== null) return byte.toString();
    if (stream.readableEnded) return '';
    await Promise.race([once(stream, 'readable'), once(stream, 'end')]);
  }
}
