/** What could keep a cluster from running on this machine; found before anything is changed. */
import { execFile } from 'node:child_process';
import { access, constants, mkdir, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { type Problem, problem } from '../../contract/errors.ts';
import type { ClusterSpec } from '../../contract/process-spec.ts';
import { formatBytes } from '../../contract/units.ts';
import { localUser } from '../../contract/user.ts';
import { OLDEST_NODE, isTooOld } from '../../contract/version.ts';
import { shortOfMemory, wantedMemory } from '../shared/memory.ts';
import { type ChosenPort, chosenPorts, portTaken, tryPort } from '../shared/ports.ts';
import { exists } from './layout.ts';
import type { LocalOptions } from './options.ts';

/** Logs, bundle and working files of an idle cluster fit into this. */
const neededDiskBytes = 64 * 1024 * 1024;

export async function findProblems(
  options: LocalOptions,
  spec: ClusterSpec,
  /** Ports that the cluster itself holds now. */
  ownPorts: ReadonlySet<number>,
): Promise<Problem[]> {
  const found = await Promise.all([
    checkHome(options.home),
    checkRuntime(options),
    checkNode(options.node),
    ...chosenPorts(spec).map((port) => (ownPorts.has(port.port) ? null : checkPort(port))),
  ]);
  return [...found, shortOfMemory('this machine', wantedMemory(spec), totalmem())].filter(
    (p) => p !== null,
  );
}

/** Where processes of this machine listen, unless the config says another address. */
const loopback = '127.0.0.1';

async function checkPort({ bind, path, port, role }: ChosenPort): Promise<Problem | null> {
  const address = bind ?? loopback;
  const found = await tryPort(address, port);
  if (typeof found === 'number') return null;
  const where = bind === null ? `port ${port}` : `port ${port} of ${bind}`;
  if (found.code === 'EADDRINUSE') return portTaken(where, 'another process', path);
  if (bind !== null && found.code !== 'EACCES') {
    return problem({
      code: 'address-not-usable',
      message: `nothing can listen on ${bind}: ${found.message}`,
      path: `/${role}/rest/bind`,
      hint: 'give an address of this machine, without brackets',
    });
  }
  return problem({
    code: 'port-not-usable',
    message: `${where} cannot be used: ${found.message}`,
    path,
    hint: 'choose another port, or 0 to have a free one chosen',
  });
}

async function checkHome(home: string): Promise<Problem | null> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
    await access(home, constants.W_OK | constants.X_OK);
  } catch (error) {
    return problem({
      code: 'home-not-writable',
      message: `the folder of local clusters, ${home}, is not writable for ${localUser().name}: ${(error as Error).message}`,
      path: '/providers/local/dir',
      hint: 'set FCTL_HOME or providers.local.dir to a folder that you may write',
    });
  }
  const disk = await statfs(home);
  const free = disk.bavail * disk.bsize;
  if (free >= neededDiskBytes) return null;
  return problem({
    code: 'disk-full',
    message: `only ${formatBytes(free)} are free where local clusters live, ${home}`,
    path: '/providers/local/dir',
    hint: `free at least ${formatBytes(neededDiskBytes)}, or set FCTL_HOME to a folder on another disk`,
  });
}

async function checkRuntime(options: LocalOptions): Promise<Problem | null> {
  if ((await exists(options.node)) && (await exists(`${options.runtimeDir}/jobmanager.js`))) {
    return null;
  }
  return problem({
    code: 'runtime-missing',
    message: `there is no runtime in ${dirname(options.runtimeDir)}`,
    hint: 'install fctl again; in its repository: npm run build',
  });
}

/** Of the config: the one that runs fctl is known to do. */
async function checkNode(node: string): Promise<Problem | null> {
  if (node === process.execPath || !(await exists(node))) return null;
  const wrong = (code: string, message: string) =>
    problem({ code, message, path: '/runtime/node', hint: `use Node.js ${OLDEST_NODE} or newer` });
  try {
    const { stdout } = await promisify(execFile)(node, ['--version'], { timeout: 10_000 });
    const version = /^v(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    if (version === undefined) return wrong('node-not-usable', `${node} is not Node.js`);
    if (!isTooOld(version)) return null;
    return wrong('node-too-old', `${node} is Node.js ${version}, with which processes cannot run`);
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    return wrong('node-not-usable', `${node} does not run on this machine: ${reason}`);
  }
}
