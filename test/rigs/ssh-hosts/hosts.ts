/**
 * Hosts that are reached by SSH, each in namespaces of its own: its address, its processes, its users and
 * its files (/etc /home /opt /root /run /tmp /var/log /var/tmp); of the rest of the machine it sees the
 * files, and cannot change them. The scripts beside this file make, break and remove them.
 *
 * Stages: starting (the script `up`), on; each host on its own off and on again; stopped.
 *
 * S1  Sets do not meet: each has a number, from which its network and all of its names come.
 * S2  Nothing is left of a set: `stop` removes it, or the end of this process, or the next start.
 * S3  A pid counts only with the time of its birth.
 * S4  Who shares a set leaves no process and no open port on its hosts, and nothing in the folder that all see:
 *     `stop` fails otherwise. Runtimes that were installed stay.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import {
  type ProcessInfo,
  birthOf,
  filesInUse,
  listeningPorts,
  processesWhere,
} from '../processes.ts';
import { expectUnused } from '../expect-unused.ts';
import type { Rig } from '../rig.ts';
import { Scripts, canRun } from '../scripts.ts';
import { clockStandIns, glibcStandIns, machineStandIns } from './stand-ins.ts';

const needed = [
  '/usr/sbin/sshd',
  '/usr/lib/openssh/sftp-server',
  '/usr/bin/ssh',
  '/usr/bin/ssh-keygen',
  '/usr/bin/openssl',
  '/usr/bin/python3',
  '/usr/bin/unshare',
  '/usr/bin/nsenter',
  '/usr/sbin/iptables',
  '/sbin/ip',
];

export const sshRig: Rig = {
  name: 'ssh-hosts',
  install: 'test/rigs/ssh-hosts/install',
  isInstalled: () => canRun(needed),
};

const sharedCount = 3;

export interface SshHost {
  /** h1, h2, …: its hostname, by which hosts know each other. The machine knows them by address only. */
  readonly name: string;
  readonly address: string;
  /** The folder on this machine where its own files lie: `home` in it is the host's /home. */
  readonly root: string;
}

interface HostsOptions {
  readonly count: number;
  /** A binary that is the hosts' `node`. Default null: they have none, and cannot run the machine's. */
  readonly node?: string | null;
  /**
   * `{ h2: 'h1' }`: h2 is reached by way of h1 only. Other hosts reach all of its ports but that of SSH, the
   * machine none.
   */
  readonly behind?: Readonly<Record<string, string>>;
}

/** What a host pretends to be. */
interface Pretence {
  /** As `uname -m` says it. */
  readonly machine?: string;
  /** Version of its C library, as `getconf GNU_LIBC_VERSION` and `ldd --version` say it. */
  readonly glibc?: string;
}

interface Answer {
  /** Null: a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Down and up are of its cable; freeze and thaw of its processes. */
type Fault = 'down' | 'up' | 'freeze' | 'thaw' | 'clear';

export class SshHosts {
  readonly hosts: readonly SshHost[];
  /** May log in with the key only. */
  readonly user = 'fctl';
  readonly keyFile: string;
  /** The same user's other key, and what opens it. */
  readonly lockedKeyFile: string;
  readonly passphrase: string;
  /** Of an ssh-agent, which has one more key of this user. */
  readonly agentSocket: string;
  /** The keys that the hosts started with, an ed25519 and an ecdsa each, by name and address. */
  readonly knownHostsFile: string;
  /** May log in with the password only. */
  readonly passwordUser = 'fctlpw';
  readonly password: string;
  readonly port = 22;
  /** The machine, as the hosts see it. */
  readonly gateway: string;
  /** Hosts and this machine see it under this path, and everybody may write in it. */
  readonly sharedDir: string;
  readonly #scripts: Scripts;

  private constructor(count: number, scripts: Scripts) {
    this.#scripts = scripts;
    const { folder, said } = scripts;
    this.password = said.get('PASSWORD')!;
    this.passphrase = said.get('PASSPHRASE')!;
    this.gateway = said.get('GATEWAY')!;
    this.keyFile = join(folder, 'key');
    this.lockedKeyFile = join(folder, 'locked-key');
    this.agentSocket = join(folder, 'agent.sock');
    this.knownHostsFile = join(folder, 'known_hosts');
    this.sharedDir = join(folder, 'shared');
    const subnet = this.gateway.slice(0, this.gateway.lastIndexOf('.'));
    this.hosts = Array.from({ length: count }, (_, i) => {
      const name = `h${i + 1}`;
      return { name, address: `${subnet}.${11 + i}`, root: join(folder, name) };
    });
  }

  /** Returns when all hosts answer. */
  static async start({ count, node = null, behind = {} }: HostsOptions): Promise<SshHosts> {
    const options = Object.entries(behind).flatMap(([host, by]) => ['--behind', `${host}:${by}`]);
    if (node !== null) options.push('--node', node);
    return new SshHosts(count, await Scripts.up(import.meta.dirname, ...options, `${count}`));
  }

  /**
   * The three hosts that a whole run of suites shares, which tools/ci/run.ts starts; without them, hosts of its
   * own. For suites that break none, and do not mind that a runtime is there.
   */
  static async share(): Promise<SshHosts> {
    const scripts = Scripts.handedOver(import.meta.dirname);
    return scripts === null
      ? SshHosts.start({ count: sharedCount })
      : new SshHosts(sharedCount, scripts);
  }

  /** A variable of the environment with which `share` of another process finds these hosts. */
  get handover(): Readonly<Record<string, string>> {
    return this.#scripts.handover;
  }

  async fault(host: SshHost, fault: Fault): Promise<void> {
    await this.#scripts.run('fault', host.name, fault);
  }

  /** Round trips take that much longer; 0 ends it. */
  async delay(host: SshHost, ms: number): Promise<void> {
    await this.#scripts.run('fault', host.name, 'delay', `${ms}`);
  }

  /** Of the packets in each direction that many are lost; 0 ends it. */
  async drop(host: SshHost, percent: number): Promise<void> {
    await this.#scripts.run('fault', host.name, 'drop', `${percent}`);
  }

  /** A power failure: silence, no closed connections. Files are kept. */
  async kill(host: SshHost): Promise<void> {
    await this.#scripts.run('kill', host.name);
  }

  /** Turns on a host that was killed. Its faults are gone. */
  async boot(host: SshHost): Promise<void> {
    await this.#scripts.run('boot', host.name);
  }

  /** Runs a command of sh on the host, as root; not by SSH, so that no fault keeps it from that. */
  async exec(host: SshHost, command: string): Promise<Answer> {
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid'];
    const target = `${this.#firstProcess(host)}`;
    const args = ['--target', target, ...namespaces, 'env', '-i', path, 'HOME=/root'];
    const answer = await execa('nsenter', [...args, 'sh', '-c', command], {
      reject: false,
      stdin: 'ignore',
    });
    return { code: answer.exitCode ?? null, stdout: answer.stdout, stderr: answer.stderr };
  }

  /** All of the host, those of the rig and of sshd among them. */
  async processes(host: SshHost): Promise<readonly ProcessInfo[]> {
    const space = (pid: number) => readlinkSync(`/proc/${pid}/ns/pid`);
    const own = space(this.#firstProcess(host));
    return processesWhere((pid) => space(pid) === own);
  }

  /** Every file that a process of the host has in use, as it sees them: see filesInUse. */
  async usedFiles(host: SshHost, pid: number): Promise<string[]> {
    if (!(await this.processes(host)).some((process) => process.pid === pid))
      throw new Error(`${host.name} has no process ${pid}`);
    return filesInUse(pid);
  }

  /** Ports, sorted. */
  async listening(host: SshHost): Promise<readonly number[]> {
    return listeningPorts(this.#firstProcess(host));
  }

  /**
   * The host's /home becomes a file system with the same files and that much free space. The machine does
   * not see it; `unfill` or a power failure brings the old one back, as it was.
   */
  async fill(host: SshHost, freeBytes: number): Promise<void> {
    await this.#do(host, [
      'mkdir -p /run/small',
      'mount -t tmpfs -o mode=755 small /run/small',
      'cp -a /home/. /run/small',
      `mount -o remount,size=$(($(df --output=used -B1 /run/small | tail -n 1) + ${freeBytes})) /run/small`,
      'mount --bind /run/small /home',
      'umount /run/small',
    ]);
  }

  async unfill(host: SshHost): Promise<void> {
    await this.#do(host, ['umount --lazy /home']);
  }

  /** What `date` says on the host is ahead by that much, or behind where it is negative; 0 ends it. */
  async clockOffset(host: SshHost, seconds: number): Promise<void> {
    await this.#standIn(host, ['date'], seconds === 0 ? {} : clockStandIns(seconds));
  }

  /** Instead of what it pretended before; `{}` ends it. Its files are the machine's nevertheless. */
  async pretend(host: SshHost, { machine, glibc }: Pretence): Promise<void> {
    await this.#standIn(host, ['uname', 'arch', 'getconf', 'ldd'], {
      ...(machine === undefined ? {} : machineStandIns(machine)),
      ...(glibc === undefined ? {} : glibcStandIns(glibc)),
    });
  }

  /** The host has new keys from now on. `knownHostsFile` has the old ones still. */
  async replaceHostKeys(host: SshHost): Promise<void> {
    await this.#scripts.run('rekey', host.name);
  }

  /** Lines of a known_hosts file with the keys that the host has now, `ssh-ed25519` and the like by type. */
  knownHostLines(host: SshHost): ReadonlyMap<string, string> {
    const lines = ['ed25519', 'ecdsa'].map((kind) => {
      const file = join(host.root, 'etc/ssh', `ssh_host_${kind}_key.pub`);
      const [type, key] = readFileSync(file, 'utf8').split(' ') as [string, string];
      return [type, `${host.address} ${type} ${key}`] as const;
    });
    return new Map(lines);
  }

  /** Arguments of OpenSSH's client, before the command: with the key, and strict about the host's. */
  sshArgs(host: SshHost): string[] {
    const options = [
      'BatchMode=yes',
      'IdentitiesOnly=yes',
      `UserKnownHostsFile=${this.knownHostsFile}`,
      'StrictHostKeyChecking=yes',
    ];
    const flags = options.flatMap((option) => ['-o', option]);
    return ['-F', 'none', '-i', this.keyFile, ...flags, `${this.user}@${host.address}`];
  }

  /** Turns the hosts off and removes them. Those that are shared stay, and have to be as they were (S4). */
  async stop(): Promise<void> {
    if (this.#scripts.isShared) await expectUnused('hosts', () => this.#inUse());
    await this.#scripts.down(); // S2
  }

  async #inUse(): Promise<readonly string[]> {
    const found = (await readdir(this.sharedDir)).map((name) => join(this.sharedDir, name));
    for (const host of this.hosts) {
      const users = await this.processes(host);
      const strangers = users.filter(({ exe, uid }) => uid >= 1000 && !exe.includes('sshd'));
      found.push(...strangers.map(({ args }) => `${host.name}: ${args.join(' ')}`));
      const ports = (await this.listening(host)).filter((port) => port !== this.port);
      found.push(...ports.map((port) => `${host.name}: port ${port}`));
    }
    return found;
  }

  async #standIn(
    host: SshHost,
    names: readonly string[],
    standIns: Readonly<Record<string, string>>,
  ): Promise<void> {
    const folder = join(host.root, 'opt/rig/bin');
    for (const name of names) await rm(join(folder, name), { force: true });
    for (const [name, text] of Object.entries(standIns))
      await writeFile(join(folder, name), text, { mode: 0o755 });
  }

  async #do(host: SshHost, commands: readonly string[]): Promise<void> {
    const { code, stderr } = await this.exec(host, ['set -e', ...commands].join('\n'));
    if (code !== 0) throw new Error(`${host.name}: ${stderr}`);
  }

  #firstProcess(host: SshHost): number {
    const record = readFileSync(join(this.#scripts.folder, 'state', `${host.name}.init`), 'utf8');
    const [pid, birth] = record.trim().split(' ') as [string, string];
    if (birthOf(Number(pid)) !== birth) throw new Error(`${host.name} is off`); // S3
    return Number(pid);
  }
}
