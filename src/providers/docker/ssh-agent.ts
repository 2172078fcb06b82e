/**
 * HTTP connections to an engine behind SSH, made as Docker's own client makes them: the machine's `ssh`
 * runs `docker system dial-stdio` over there. So hosts, keys, agents, jumps and known hosts are what the
 * user's SSH configuration says. It asks nothing: who has to type a password gets an error.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Agent } from 'node:http';
import { Duplex, type Readable, type Writable } from 'node:stream';
import type { EngineAddress } from './engine-address.ts';

type SshAddress = Extract<EngineAddress, { transport: 'ssh' }>;
type Ssh = ChildProcessByStdio<Writable, Readable, Readable>;

/** @returns arguments of `ssh`. */
function sshArguments({ host, port, socketPath, user }: SshAddress): string[] {
  return [
    '-o',
    'BatchMode=yes',
    '-o',
    'ConnectTimeout=15',
    '-T',
    ...(user === null ? [] : ['-l', user]),
    ...(port === null ? [] : ['-p', String(port)]),
    '--',
    host,
    'docker',
    ...(socketPath === null ? [] : ['--host', `unix://${socketPath}`]),
    'system',
    'dial-stdio',
  ];
}

export class SshAgent extends Agent {
  readonly #address: SshAddress;
  readonly #open = new Set<Ssh>();

  constructor(address: SshAddress) {
    super({ keepAlive: true });
    this.#address = address;
  }

  override createConnection(): Duplex {
    const ssh = spawn('ssh', sshArguments(this.#address), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#open.add(ssh);
    ssh.once('close', () => this.#open.delete(ssh));
    return new SshConnection(ssh);
  }

  override destroy(): void {
    super.destroy();
    for (const ssh of this.#open) ssh.kill();
  }
}

/** What `http` wants of a socket, over a process. */
class SshConnection extends Duplex {
  readonly #ssh: Ssh;
  #said = '';

  constructor(ssh: Ssh) {
    super();
    this.#ssh = ssh;
    ssh.stderr.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
    ssh.stdin.on('error', () => {}); // it has ended; 'close' says why
    ssh.stdout.on('data', (chunk: Buffer) => this.push(chunk) || ssh.stdout.pause());
    ssh.once('error', (error) =>
      this.destroy(failure(`ssh could not be started: ${error.message}`)),
    );
    ssh.once('close', (code) => {
      if (code === 0) this.push(null);
      else this.destroy(failure(this.#said.trim() || `ssh ended with code ${code}`));
    });
  }

  override _read(): void {
    this.#ssh.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#ssh.stdin.write(chunk)) done();
    else this.#ssh.stdin.once('drain', done);
  }

  override _final(done: () => void): void {
    this.#ssh.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#ssh.kill();
    done(error);
  }

  // A process has neither of these; what waits too long is given up by the client.
  setTimeout = () => this;
  setKeepAlive = () => this;
  setNoDelay = () => this;
  ref = () => this;
  unref = () => this;
}

const failure = (message: string) => Object.assign(new Error(message), { code: 'ESSH' });
