/**
 * A Docker engine for tests without one: it speaks the part of the API that the provider uses, on a unix
 * socket. Containers are processes of this machine; a volume is a folder at the path where containers have
 * it. What it answers is held to what a real engine does by conversation.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { buffer, json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Pack, extract, pack } from 'tar-stream';
import { type ContainerBody, FakeContainer, codeOf, frame } from './fake-container.ts';

interface Exec {
  readonly container: FakeContainer;
  readonly body: {
    readonly Cmd: readonly string[];
    readonly Env?: readonly string[];
    readonly AttachStdin?: boolean;
  };
  child: ChildProcess | null;
  exitCode: number | null;
}

type Labels = Readonly<Record<string, string>>;
interface Named {
  readonly Name: string;
  readonly Labels: Labels;
}

/** An answer that is an error. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly filters: Readonly<Record<string, readonly string[]>>;
  readonly name: string;
}

type Route = readonly [pattern: RegExp, handle: (call: Call) => unknown];

export class FakeEngine {
  readonly folder: string;
  /** What it says of itself. */
  version = {
    Version: 'fake',
    ApiVersion: '1.41',
    MinAPIVersion: '1.12',
    Os: 'linux',
    Arch: process.arch === 'arm64' ? 'arm64' : 'amd64',
  };
  info = { MemTotal: 8 * 2 ** 30, NCPU: 4 };
  readonly images = new Map<string, Labels>();
  /** In ms; of images that were built here. */
  readonly builtAt = new Map<string, number>();
  readonly volumes = new Map<string, Named>();
  readonly networks = new Map<string, Named & { readonly Id: string }>();
  readonly containers = new Map<string, FakeContainer>();
  /** Paths of all requests so far. */
  readonly asked: string[] = [];
  /** `POST /build` so far. */
  builds = 0;
  readonly #server: Server;
  readonly #execs = new Map<string, Exec>();

  private constructor(folder: string) {
    this.folder = folder;
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on('upgrade', (request, socket: Duplex) => void this.#upgrade(request, socket));
  }

  static async start(): Promise<FakeEngine> {
    const engine = new FakeEngine(await mkdtemp(join(tmpdir(), 'fctl-engine-')));
    engine.#server.listen(engine.socketPath);
    await once(engine.#server, 'listening');
    return engine;
  }

  get socketPath(): string {
    return join(this.folder, 'docker.sock');
  }

  pathOf(volume: string): string {
    return join(this.folder, 'volumes', volume);
  }

  byName(name: string): FakeContainer | undefined {
    return [...this.containers.values()].find((c) => c.name === name || c.id.startsWith(name));
  }

  async close(): Promise<void> {
    await Promise.all([...this.containers.values()].map((container) => container.stop(0)));
    for (const { child } of this.#execs.values()) child?.kill('SIGKILL');
    this.#server.closeAllConnections();
    this.#server.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  readonly #routes: readonly Route[] = [
    [/^GET \/version$/, () => this.version],
    [/^GET \/info$/, () => ({ ...this.info, SystemTime: new Date().toISOString() })],
    [/^GET \/events$/, ({ filters }) => this.#events(filters['container']![0]!)],
    [/^GET \/images\/json$/, ({ filters }) => this.#listImages(filters)],
    [/^GET \/images\/(.+)\/json$/, ({ name }) => ({ Id: this.#image(name) })],
    [/^DELETE \/images\/(.+)$/, ({ name }) => this.#removeImage(name)],
    [
      /^GET \/distribution\/(.+)\/json$/,
      ({ name }) => {
        throw new Refusal(500, `no registry has ${name}`);
      },
    ],
    [/^POST \/build$/, (call) => this.#build(call)],
    [
      /^GET \/volumes$/,
      ({ filters }) => ({ Volumes: labelled([...this.volumes.values()], filters) }),
    ],
    [/^POST \/volumes\/create$/, (call) => this.#createVolume(call)],
    [
      /^GET \/volumes\/(.+)$/,
      ({ name }) => this.volumes.get(name) ?? missing(`get ${name}: no such volume`),
    ],
    [/^DELETE \/volumes\/(.+)$/, ({ name }) => this.#removeVolume(name)],
    [
      /^GET \/networks$/,
      ({ filters }) =>
        [...this.networks.values()].filter(({ Name }) => Name.includes(filters['name']![0]!)),
    ],
    [/^POST \/networks\/create$/, (call) => this.#createNetwork(call)],
    [/^DELETE \/networks\/(.+)$/, ({ name }) => void this.networks.delete(name)],
    [/^GET \/containers\/json$/, ({ filters, query }) => this.#list(filters, query.has('all'))],
    [/^POST \/containers\/create$/, (call) => this.#create(call)],
    [/^GET \/containers\/([^/]+)\/json$/, ({ name }) => this.#container(name).describe()],
    [/^POST \/containers\/([^/]+)\/start$/, (call) => this.#start(call)],
    [/^POST \/containers\/([^/]+)\/stop$/, (call) => this.#stop(call)],
    [/^DELETE \/containers\/([^/]+)$/, (call) => this.#remove(call)],
    [/^GET \/containers\/([^/]+)\/logs$/, (call) => this.#logs(call)],
    [/^GET \/containers\/([^/]+)\/archive$/, (call) => this.#getArchive(call)],
    [/^PUT \/containers\/([^/]+)\/archive$/, (call) => this.#putArchive(call)],
    [/^POST \/containers\/([^/]+)\/exec$/, (call) => this.#createExec(call)],
    [
      /^POST \/exec\/([^/]+)\/start$/,
      ({ name, response }) => {
        response.writeHead(200, { 'Content-Type': 'application/vnd.docker.raw-stream' });
        this.#startExec(this.#exec(name), response as unknown as Duplex);
      },
    ],
    [/^GET \/exec\/([^/]+)\/json$/, ({ name }) => this.#inspectExec(this.#exec(name))],
  ];

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked.push(request.url!);
    response.setHeader('Api-Version', this.version.ApiVersion);
    const reply = (status: number, body: unknown) => {
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(body === undefined ? '' : JSON.stringify(body));
    };
    try {
      const url = new URL(request.url!, 'http://engine');
      const path = decodeURIComponent(url.pathname.replace(/^\/v1\.\d+(?=\/)/, ''));
      const line = `${request.method} ${path}`;
      const route = this.#routes.find(([pattern]) => pattern.test(line));
      if (route === undefined) throw new Refusal(404, `page not found: ${line}`);
      const [pattern, handle] = route;
      const filters = filtersOf(url.searchParams.get('filters'));
      const name = pattern.exec(line)![1] ?? '';
      const body = await handle({ request, response, query: url.searchParams, filters, name });
      if (!response.headersSent)
        reply(body === undefined ? 204 : request.method === 'POST' ? 201 : 200, body);
    } catch (error) {
      const status = error instanceof Refusal ? error.status : 500;
      if (response.headersSent) response.destroy();
      else if (status === 304) reply(304, undefined);
      else reply(status, { message: (error as Error).message });
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex): Promise<void> {
    socket.on('error', () => {});
    const [, kind, name] = /\/(containers|exec)\/([^/]+)\/(?:attach|start)/.exec(request.url!)!;
    const length = Number(request.headers['content-length'] ?? 0);
    if (length > 0) socket.read(length); // the options of an exec: what counts was said when it was made
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    if (kind === 'containers') this.#container(name!).attach(socket);
    else this.#startExec(this.#exec(name!), socket);
  }

  #container(name: string): FakeContainer {
    return this.byName(name) ?? missing(`No such container: ${name}`);
  }

  #exec(id: string): Exec {
    return this.#execs.get(id) ?? missing(`No such exec instance: ${id}`);
  }

  #image(name: string): string {
    const known = this.images.has(name) ? name : `${name}:latest`;
    return this.images.has(known) ? known : missing(`No such image: ${name}`);
  }

  #listImages(filters: Call['filters']) {
    const all = [...this.images].map(([tag, Labels]) => ({
      Id: tag,
      RepoTags: [tag],
      Labels,
      Created: Math.floor((this.builtAt.get(tag) ?? 0) / 1000),
    }));
    return labelled(all, filters);
  }

  #removeImage(name: string): unknown {
    const tag = this.#image(name);
    const user = [...this.containers.values()].find(({ body }) => body.Image === tag);
    if (user !== undefined) throw new Refusal(409, `container ${user.name} uses image ${tag}`);
    this.images.delete(tag);
    return [{ Untagged: tag }];
  }

  async #build({ query, request, response }: Call): Promise<void> {
    const names: string[] = [];
    const entries = request.pipe(extract());
    for await (const entry of entries) {
      names.push(entry.header.name);
      entry.resume();
    }
    if (!names.includes('Dockerfile'))
      throw new Refusal(500, 'Cannot locate specified Dockerfile: Dockerfile');
    this.builds++;
    this.builtAt.set(query.get('t')!, Date.now());
    this.images.set(query.get('t')!, JSON.parse(query.get('labels') ?? '{}') as Labels);
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(`${JSON.stringify({ stream: 'Successfully built\n' })}\n`);
  }

  async #createVolume({ request }: Call): Promise<Named> {
    const { Labels = {}, Name } = (await json(request)) as Partial<Named> & { Name: string };
    const volume = this.volumes.get(Name) ?? { Name, Labels };
    this.volumes.set(Name, volume);
    await mkdir(this.pathOf(Name), { recursive: true });
    return volume;
  }

  async #removeVolume(name: string): Promise<void> {
    if (!this.volumes.has(name)) missing(`get ${name}: no such volume`);
    const uses = ({ body }: FakeContainer) =>
      body.HostConfig.Binds?.some((bind) => bind.startsWith(`${name}:`));
    if ([...this.containers.values()].some(uses))
      throw new Refusal(409, `remove ${name}: volume is in use`);
    this.volumes.delete(name);
    await rm(this.pathOf(name), { recursive: true, force: true });
  }

  async #createNetwork({ request }: Call) {
    const { Labels = {}, Name } = (await json(request)) as Partial<Named> & { Name: string };
    if ([...this.networks.values()].some((network) => network.Name === Name))
      throw new Refusal(409, `network with name ${Name} already exists`);
    const Id = randomBytes(32).toString('hex');
    this.networks.set(Id, { Id, Name, Labels });
    return { Id, Warning: '' };
  }

  #list(filters: Call['filters'], all: boolean) {
    const found = [...this.containers.values()].filter((container) => all || container.isRunning);
    return labelled(
      found.map((container) => container.summary()),
      filters,
    );
  }

  async #create({ query, request }: Call) {
    const name = query.get('name')!;
    const body = (await json(request)) as ContainerBody;
    this.#image(body.Image);
    const taken = this.byName(name);
    if (taken?.name === name) {
      throw new Refusal(
        409,
        `Conflict. The container name "/${name}" is already in use by container "${taken.id}".`,
      );
    }
    for (const bind of body.HostConfig.Binds ?? [])
      await mkdir(bind.split(':')[1]!, { recursive: true });
    const id = randomBytes(32).toString('hex');
    this.containers.set(id, new FakeContainer(id, name, body, () => this.containers.delete(id)));
    return { Id: id, Warnings: [] };
  }

  #start({ name }: Call): void {
    const container = this.#container(name);
    if (container.isRunning) throw new Refusal(304, '');
    container.start();
  }

  async #stop({ name, query }: Call): Promise<void> {
    const container = this.#container(name);
    if (!container.isRunning) throw new Refusal(304, '');
    await container.stop(Number(query.get('t') ?? 10) * 1000);
  }

  async #remove({ name, query }: Call): Promise<void> {
    const container = this.#container(name);
    if (container.isRunning && query.get('force') !== 'true')
      throw new Refusal(409, `You cannot remove a running container ${container.id}.`);
    await container.stop(0);
    this.containers.delete(container.id);
  }

  #logs({ name, query, response }: Call): void {
    const { output, isRunning, follow } = this.#logSource(name);
    response.writeHead(200, { 'Content-Type': 'application/vnd.docker.raw-stream' });
    const lines = output.flatMap(({ kind, bytes }) =>
      bytes
        .toString()
        .split(/(?<=\n)/)
        .map((line) => frame(kind, Buffer.from(line))),
    );
    const tail = query.get('tail');
    for (const line of tail === null ? lines : lines.slice(-Number(tail))) response.write(line);
    if (query.get('follow') === 'true' && isRunning) follow(response as unknown as Duplex);
    else response.end();
  }

  #logSource(name: string) {
    const container = this.#container(name);
    return {
      output: container.output,
      isRunning: container.isRunning,
      follow: (stream: Duplex) => container.follow(stream),
    };
  }

  async #getArchive({ name, query, response }: Call): Promise<void> {
    this.#container(name);
    const path = query.get('path')!;
    const found = await stat(path).catch(() => null);
    if (found === null) missing(`Could not find the file ${path} in container ${name}`);
    const tar = pack();
    response.writeHead(200, { 'Content-Type': 'application/x-tar' });
    const sent = pipeline(tar, response);
    await addToTar(tar, path, basename(path)).then(() => tar.finalize());
    await sent;
  }

  async #putArchive({ name, query, request, response }: Call): Promise<void> {
    this.#container(name);
    const root = query.get('path')!;
    for await (const entry of request.pipe(extract())) {
      const { mode, type } = entry.header;
      const path = join(root, entry.header.name);
      if (type === 'directory') await mkdir(path, { recursive: true });
      else {
        await mkdir(dirname(path), { recursive: true });
        await pipeline(entry, createWriteStream(path));
      }
      entry.resume();
      await chmod(path, mode ?? 0o644);
    }
    response.writeHead(200).end();
  }

  async #createExec({ name, request }: Call) {
    const container = this.#container(name);
    const body = (await json(request)) as Exec['body'];
    if (!container.isRunning) throw new Refusal(409, `Container ${container.id} is not running`);
    const Id = randomBytes(32).toString('hex');
    this.#execs.set(Id, { container, body, child: null, exitCode: null });
    return { Id };
  }

  #startExec(exec: Exec, stream: Duplex | null): void {
    const { body, container } = exec;
    const [file, ...args] = body.Cmd;
    const env = container.environment(body.Env);
    const child = spawn(file!, args, {
      cwd: container.body.WorkingDir,
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    exec.child = child;
    child.stdin.on('error', () => {});
    child.stdout.on('data', (bytes: Buffer) => stream?.write(frame(1, bytes)));
    child.stderr.on('data', (bytes: Buffer) => stream?.write(frame(2, bytes)));
    if (body.AttachStdin) stream?.pipe(child.stdin);
    else child.stdin.end();
    child.once('error', () => {
      exec.exitCode = 126;
      stream?.end(
        frame(
          1,
          Buffer.from(
            `OCI runtime exec failed: exec: "${file}": executable file not found in $PATH: unknown\r\n`,
          ),
        ),
      );
    });
    child.once('close', (code, signal) => {
      exec.exitCode ??= codeOf(code, signal);
      stream?.end();
    });
  }

  #inspectExec({ exitCode }: Exec) {
    return { ExitCode: exitCode, Running: exitCode === null };
  }

  #events(id: string): unknown {
    const exits = this.byName(id)?.exits ?? [];
    const events = exits.map((exitCode) => ({
      Action: 'die',
      Actor: { Attributes: { exitCode: `${exitCode}` } },
    }));
    return events.at(-1) ?? null; // one of them is a stream, too
  }
}

function missing(message: string): never {
  throw new Refusal(404, message);
}

function filtersOf(text: string | null): Call['filters'] {
  return text === null ? {} : (JSON.parse(text) as Call['filters']);
}

function labelled<T extends { readonly Labels: Labels }>(
  all: readonly T[],
  { label = [] }: Call['filters'],
): T[] {
  return all.filter(({ Labels }) =>
    label.every((wanted) => {
      const [name, value] = wanted.split('=') as [string, string?];
      return value === undefined ? name in Labels : Labels[name] === value;
    }),
  );
}

async function addToTar(tar: Pack, path: string, name: string): Promise<void> {
  const found = await stat(path);
  const { mode, mtime, size, uid, gid } = found;
  if (found.isDirectory()) {
    tar.entry({ name: `${name}/`, type: 'directory', mode, mtime, uid, gid });
    for (const inner of await readdir(path))
      await addToTar(tar, join(path, inner), `${name}/${inner}`);
    return;
  }
  const content = await buffer(createReadStream(path));
  tar.entry({ name, mode, mtime, uid, gid, size }, content);
}
