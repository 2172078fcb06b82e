/** What a host is like, as its shell tells: before anything of ours is there. Changes nothing. */
import { isIP } from 'node:net';
import { ProviderError, problem } from '../../contract/errors.ts';
import type { SshConnection } from './ssh/connection.ts';
import { folderWord, runMarked } from './shell.ts';

export type Architecture = 'x64' | 'arm64';

export interface HostFacts {
  /** `Linux` */
  readonly system: string;
  /** As `uname -m` says it: `x86_64`. */
  readonly machine: string;
  /** Of its C library: `2.36`; `null`: it is none of GNU. */
  readonly glibc: string | null;
  /** What is not there of what is needed. */
  readonly missingTools: readonly string[];
  /** The nearest folder above fctl's that is there, or that itself. */
  readonly folder: string;
  readonly writable: boolean;
  readonly freeBytes: number;
  readonly memoryBytes: number;
  /** How far its clock is ahead of ours, at least; negative: behind. 0: it may be right. */
  readonly clockOffMs: number;
  /** Where somebody listens by TCP. */
  readonly listening: readonly ListeningPort[];
  /** Whether systemd runs the host; whether the user has a manager of their own; whether that stays. */
  readonly systemd: { readonly system: boolean; readonly user: boolean; readonly linger: boolean };
  readonly isRoot: boolean;
  /** Under which SSH reached it. */
  readonly serverAddress: string | null;
}

const tools = [
  'cat',
  'gzip',
  'ls',
  'mkdir',
  'mkfifo',
  'mv',
  'rm',
  'sha256sum',
  'tar',
  'tee',
  'touch',
  'wc',
];

const questions = (dir: string) => `
echo "now=$(date +%s.%N)"
echo "system=$(uname -s)"
echo "machine=$(uname -m)"
echo "glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1 | head -n 1)"
for tool in ${tools.join(' ')}; do command -v $tool >/dev/null 2>&1 || echo "missing=$tool"; done
folder=${folderWord(dir)}
while [ ! -d "$folder" ]; do case $folder in */*) folder=\${folder%/*} ;; *) folder=. ;; esac; [ -n "$folder" ] || folder=/; done
echo "folder=$folder"
[ -w "$folder" ] && [ -x "$folder" ] && echo writable=1
echo "free=$(df -Pk "$folder" 2>/dev/null | tail -n 1)"
while read -r key value unit; do [ "$key" = MemTotal: ] && echo "memory=$value"; done 2>/dev/null </proc/meminfo
cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r slot local remote state rest; do [ "$state" = 0A ] && echo "port=$local"; done
[ -d /run/systemd/system ] && echo systemd=1
[ -S "\${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/systemd/private" ] && echo manager=1
[ -e "/var/lib/systemd/linger/$(id -un)" ] && echo linger=1
echo "uid=$(id -u)"
echo "ssh=\${SSH_CONNECTION:-}"
echo end=1
`;

/** @throws ProviderError `no-shell` when the host answers something else; ConnectionLostError. */
export async function readFacts(connection: SshConnection, dir: string): Promise<HostFacts> {
  const before = Date.now();
  const { greeting, stdout, stderr } = await runMarked(connection, questions(dir));
  const after = Date.now();
  const values = parse(stdout);
  if (!values.has('end')) {
    const said = (stderr || stdout || greeting).trim().split('\n')[0] ?? '';
    throw new ProviderError(
      problem({
        code: 'no-shell',
        message: `the shell of the host does not do what it should: ${said || 'it says nothing'}`,
        hint: 'the user needs a POSIX shell: sh',
      }),
    );
  }
  return toFacts(values, before, after);
}

type Values = ReadonlyMap<string, readonly string[]>;

function parse(text: string): Values {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at <= 0) continue;
    const key = line.slice(0, at);
    values.set(key, [...(values.get(key) ?? []), line.slice(at + 1)]);
  }
  return values;
}

function toFacts(values: Values, before: number, after: number): HostFacts {
  const one = (key: string) => values.get(key)?.[0] ?? '';
  const all = (key: string) => values.get(key) ?? [];
  // POSIX: file system, size, used, available, …
  const available = one('free').trim().split(/\s+/).at(-3);
  return {
    system: one('system'),
    machine: one('machine'),
    glibc: glibcOf(one('glibc')),
    missingTools: all('missing'),
    folder: one('folder'),
    writable: values.has('writable'),
    freeBytes: Number(available ?? 0) * 1024 || 0,
    memoryBytes: Number(one('memory')) * 1024,
    clockOffMs: clockOff(one('now'), before, after),
    listening: all('port').map(listeningPort),
    systemd: {
      system: values.has('systemd'),
      user: values.has('manager'),
      linger: values.has('linger'),
    },
    isRoot: one('uid') === '0',
    serverAddress: one('ssh').split(' ')[2] ?? null,
  };
}

export interface ListeningPort {
  readonly address: string;
  readonly port: number;
}

/** As the kernel tells it: `0100007F:1F90`; each group of eight digits is a word in the machine's order. */
export function listeningPort(text: string): ListeningPort {
  const [address = '', port = ''] = text.split(':');
  const words = address.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).toReversed()).join('');
  const isMapped = /^0{20}ffff/i.test(bytes);
  const digits = isMapped ? bytes.slice(24) : bytes;
  const number = Number.parseInt(port, 16);
  if (digits.length === 8) {
    const parts = digits.match(/../g)!.map((part) => Number.parseInt(part, 16));
    return { address: parts.join('.'), port: number };
  }
  const groups = digits.match(/.{4}/g) ?? [];
  const full = groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
  return { address: new URL(`http://[${full}]`).hostname.slice(1, -1), port: number };
}

/** Whether somebody listens where one of the addresses would be listened on. A name counts as all of them. */
export function isTaken(
  listening: readonly ListeningPort[],
  addresses: readonly string[],
  port: number,
): boolean {
  const everywhere = ['0.0.0.0', '::'];
  const overlaps = (a: string, b: string) =>
    a === b || everywhere.includes(a) || everywhere.includes(b) || isIP(b) === 0;
  return listening.some(
    (each) => each.port === port && addresses.some((address) => overlaps(each.address, address)),
  );
}

/** `glibc 2.36`, or the first line of `ldd --version`. */
export function glibcOf(text: string): string | null {
  if (/musl/i.test(text)) return null;
  if (!/glibc|gnu libc|ldd/i.test(text)) return null;
  return /(\d+\.\d+)\s*$/.exec(text)?.[1] ?? null;
}

/** The host looked at its clock some time between `before` and `after`. */
export function clockOff(now: string, before: number, after: number): number {
  const seconds = Number.parseFloat(now);
  if (!Number.isFinite(seconds)) return 0;
  const there = seconds * 1000;
  // Without a fraction it may be any time within that second.
  const latest = /\.\d/.test(now) ? there : there + 1000;
  if (there > after) return there - after;
  return latest < before ? latest - before : 0;
}

export function architectureOf(machine: string): Architecture | null {
  if (machine === 'x86_64' || machine === 'amd64') return 'x64';
  return machine === 'aarch64' || machine === 'arm64' ? 'arm64' : null;
}
