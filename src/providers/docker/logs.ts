/**
 * Logs of a process: its own files in the volume, and what the engine kept of its output.
 *
 * L1  What the code of users prints is in a file, as on every platform; what Node.js prints, of options that it
 *     does not have or as its last words, is the output of the container. Both are what a process printed.
 * L2  The file comes first: last words are read last.
 */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { ClusterError } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
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
      : this.#printed(clusterId, process, options);
  }

  /** L1, L2. @throws ClusterError when neither the process nor its file is there. */
  async #printed(clusterId: ClusterId, process: string, options: LogOptions): Promise<Readable> {
    const orNothing = (error: unknown): null => {
      if (error instanceof ClusterError && error.exitCode === ExitCode.notFound) return null;
      throw error;
    };
    const own = await this.#output(clusterId, process, options).catch(orNothing);
    // With each placement the container is another one, and the file goes on.
    const byCode =
      options.sincePlaced && own !== null
        ? null
        : await this.#files(clusterId, process, options).catch(orNothing);
    if (own === null && byCode === null) throw noLogs(clusterId, process, 'out');
    if (own === null || byCode === null) return (own ?? byCode)!;
    if (options.follow) return merged(byCode, own);
    return Readable.from(lastLines(inTurn(byCode, own), options.tail));
  }

  /** By a helper, which prints what the files hold: neither they nor polls for them cross the network. */
  async #files(
    clusterId: ClusterId,
    process: string,
    { follow, signal, stream, tail }: LogOptions,
  ): Promise<Readable> {
    const found = await this.#resources.find(clusterId);
    if (found.identity === null) throw noLogs(clusterId, process, stream);
    const folder = `${this.#options.layout.mountPath(clusterId)}/logs`;
    const args = ['logs', folder, `${process}.${stream}`, JSON.stringify({ follow, tail })];
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
    throw noLogs(clusterId, process, stream);
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

/** Whole lines, with their ends. The last one may have none. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const parts = (rest + String(chunk)).split(/(?<=\n)/);
    rest = parts.at(-1)?.endsWith('\n') ? '' : (parts.pop() ?? '');
    yield* parts;
  }
  if (rest !== '') yield rest;
}

async function* inTurn(first: Readable, second: Readable): AsyncGenerator<string> {
  for (const stream of [first, second]) {
    for await (const line of linesOf(stream)) yield line.endsWith('\n') ? line : `${line}\n`;
  }
}

async function* lastLines(
  lines: AsyncIterable<string>,
  tail: number | null,
): AsyncGenerator<string> {
  if (tail === null) return yield* lines;
  const kept: string[] = [];
  for await (const line of lines) {
    kept.push(line);
    if (kept.length > tail) kept.shift();
  }
  yield* kept;
}

/** Line by line, as they come; ends when both have. */
function merged(...streams: readonly Readable[]): Readable {
  const output = new PassThrough();
  const copy = async (stream: Readable) => {
    output.once('close', () => stream.destroy());
    for await (const line of linesOf(stream)) {
      if (!output.write(line)) await once(output, 'drain');
    }
  };
  void Promise.all(streams.map(copy)).then(
    () => output.end(),
    (error: Error) => output.destroy(error),
  );
  return output;
}
