/**
 * What a client asks an engine and how the engine answers, where the provider depends on it. A fake engine
 * and a real one must answer alike.
 */
import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { pack } from 'tar-stream';

export interface Engine {
  readonly socketPath: string;
  /** One that the engine has, with a `sh`. */
  readonly image: string;
  /** A folder that containers may have a volume at. */
  readonly folder: string;
}

interface Reply {
  readonly status: number;
  readonly body: Buffer;
}

type Show = (reply: Reply) => unknown;

/** What the answers look like, as far as somebody looks. */
interface Described {
  readonly Name: string;
  readonly Names: readonly string[];
  readonly Labels: object;
  readonly RestartCount: number;
  readonly State: {
    readonly Running: boolean;
    readonly Restarting: boolean;
    readonly StartedAt: string;
    readonly Status: string;
  };
}

const parse = <T>({ body }: Reply) => JSON.parse(body.toString()) as T;

function ask(
  { socketPath }: Engine,
  method: string,
  path: string,
  body?: object | Buffer,
): Promise<Reply> {
  const type = Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json';
  const headers = { 'Content-Type': type };
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path: `/v1.41${path}`, headers }, (response) => {
      const status = response.statusCode!;
      buffer(response).then((content) => resolve({ status, body: content }), reject);
    });
    sent.on('error', reject);
    sent.end(body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  });
}

const filtered = (filters: object) => encodeURIComponent(JSON.stringify(filters));
const Labels = { 'fctl.dev/cluster': 'talk' };
const state: Show = (reply) => {
  const { RestartCount, State } = parse<Described>(reply);
  const { Restarting, Running, StartedAt, Status } = State;
  return [Status, Running, Restarting, RestartCount, StartedAt.startsWith('0001-')];
};

/** @returns lines: what was asked, and what of the answer matters. */
export async function converse(engine: Engine): Promise<string[]> {
  const lines: string[] = [];
  const say = async (what: string, line: string, body?: object | Buffer, show?: Show) => {
    const [method, path] = line.split(' ') as [string, string];
    const reply = await ask(engine, method, path, body);
    const shown = show === undefined ? '' : ` ${JSON.stringify(show(reply))}`;
    lines.push(`${what}: ${reply.status}${shown}`);
    return reply;
  };
  await talkOfResources(say);
  await talkOfFiles(engine, say);
  await talkOfProcesses(engine, say, lines);
  await say('remove the container', 'DELETE /containers/talk');
  await say('remove it again', 'DELETE /containers/talk');
  await say('remove the volume', 'DELETE /volumes/talk');
  await say('remove it again', 'DELETE /volumes/talk');
  await say('remove the network', 'DELETE /networks/talk');
  return lines;
}

type Say = (what: string, line: string, body?: object | Buffer, show?: Show) => Promise<Reply>;

async function talkOfResources(say: Say): Promise<void> {
  const labels: Show = (reply) => parse<Described>(reply).Labels;
  const other = { x: 'y' };
  await say('an image that is not there', 'GET /images/no-such:1/json');
  await say('a volume that is not there', 'GET /volumes/talk');
  await say('make a volume', 'POST /volumes/create', { Name: 'talk', Labels }, labels);
  await say('make it again', 'POST /volumes/create', { Name: 'talk', Labels: other }, labels);
  const network = { Name: 'talk', Labels, CheckDuplicate: true };
  await say('make a network', 'POST /networks/create', network);
  await say('make it again', 'POST /networks/create', network);
  const names: Show = (reply) => parse<Described[]>(reply).map(({ Name }) => Name);
  await say('find it', `GET /networks?filters=${filtered({ name: ['talk'] })}`, undefined, names);
}

async function talkOfFiles({ folder, image }: Engine, say: Say): Promise<void> {
  const HostConfig = { Binds: [`talk:${folder}`], RestartPolicy: { Name: 'on-failure' } };
  const Cmd = ['sh', '-c', 'echo out; echo err >&2; while true; do sleep 0.05; done'];
  const container = { Image: image, Cmd, Labels, HostConfig };
  const create = 'POST /containers/create?name=talk';
  await say('make a container of no image', create, { ...container, Image: 'no-such:1' });
  await say('make a container', create, container);
  await say('make it again', create, container);
  await say('look at it', 'GET /containers/talk/json', undefined, state);
  const tar = pack();
  tar.entry({ name: 'folder/', type: 'directory', mode: 0o755 });
  tar.entry({ name: 'folder/file', mode: 0o600 }, 'content');
  tar.finalize();
  const files = await buffer(tar as AsyncIterable<Buffer>);
  const archive = `/containers/talk/archive?path=${encodeURIComponent(folder)}`;
  const holdsFile: Show = ({ body }) => body.includes('folder/file') && body.includes('content');
  await say('lay files', `PUT ${archive}`, files);
  await say('read them', `GET ${archive}/folder`, undefined, holdsFile);
  await say('read none', `GET ${archive}/none`);
}

async function talkOfProcesses(engine: Engine, say: Say, lines: string[]): Promise<void> {
  await say('run a command before it runs', 'POST /containers/talk/exec', { Cmd: ['true'] });
  await say('start', 'POST /containers/talk/start');
  await say('start again', 'POST /containers/talk/start');
  await say('look at it', 'GET /containers/talk/json', undefined, state);
  await say('remove it while it runs', 'DELETE /containers/talk');
  lines.push(`its output has frames: ${await hasFrames(engine)}`);
  lines.push(`a command: ${await runs(engine, ['sh', '-c', 'exit 3'])}`);
  lines.push(`no command: ${await runs(engine, ['/no/such'])}`);
  await say('remove the volume that it uses', 'DELETE /volumes/talk');
  await say('stop', 'POST /containers/talk/stop?t=0');
  await say('stop again', 'POST /containers/talk/stop?t=0');
  await say('look at it', 'GET /containers/talk/json', undefined, state);
  const all = `GET /containers/json?all=1&filters=${filtered({ label: ['fctl.dev/cluster=talk'] })}`;
  const names: Show = (reply) => parse<Described[]>(reply).map(({ Names }) => Names);
  await say('find it', all, undefined, names);
}

async function hasFrames(engine: Engine): Promise<boolean> {
  const logs = '/containers/talk/logs?stdout=true&stderr=true';
  for (;;) {
    const { body } = await ask(engine, 'GET', logs);
    if (!body.includes('out\n') || !body.includes('err\n')) continue;
    for (let at = 0; at < body.length; at += 8 + body.readUInt32BE(at + 4)) {
      if (body[at] !== 1 && body[at] !== 2) return false;
    }
    return true;
  }
}

async function runs(engine: Engine, Cmd: readonly string[]): Promise<string> {
  const options = { Cmd, AttachStdout: true };
  const made = await ask(engine, 'POST', '/containers/talk/exec', options);
  const { Id } = parse<{ Id: string }>(made);
  const { body } = await ask(engine, 'POST', `/exec/${Id}/start`, { Detach: false });
  const refused = body.includes('OCI runtime exec failed');
  for (;;) {
    const looked = await ask(engine, 'GET', `/exec/${Id}/json`);
    const { ExitCode, Running } = parse<{ ExitCode: number; Running: boolean }>(looked);
    if (!Running) return `${made.status}, exit code ${ExitCode}, refused: ${refused}`;
    await delay(10);
  }
}
