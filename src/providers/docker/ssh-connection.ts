/**
 * Connections to an engine behind SSH, made as Docker's own client makes them: the machine's `ssh`
 * runs `docker system dial-stdio` over there. So hosts, keys, agents, jumps and known hosts are what the
 * user's SSH configuration says. It asks nothing: who has to type a password gets an error.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
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

/** @returns a connection to the engine; what goes wrong with it is an error of the stream. */
export function connectBySsh(address: SshAddress): Duplex {
  return new SshConnection(
    spawn('ssh', sshArguments(address), { stdio: ['pipe', 'pipe', 'pipe'] }),
  );
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
    const { stderr, stdin, stdout } = this.#ssh;
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
    this.#ssh.kill();
    this.#ssh.unref();
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
