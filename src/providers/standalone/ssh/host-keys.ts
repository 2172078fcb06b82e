/** Checks the keys that hosts show against files of known ones, and keeps new ones where that is wanted. */
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Problem, problem } from '../../../contract/errors.ts';
import {
  judgeHostKey,
  keyType,
  knownHostName,
  knownHostsLine,
  parseKnownHosts,
  preferredTypes,
} from './known-hosts.ts';
import type { Target } from './target.ts';

/** What ssh2 knows, in its order; without ssh-dss and RSA with SHA-1. */
const algorithms = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

const systemFile = '/etc/ssh/ssh_known_hosts';

export interface HostKeyPolicy {
  /** Where new keys go, and where known ones are looked for first. */
  readonly knownHosts: string;
  readonly hostKeys: 'strict' | 'accept-new';
}

export interface HostKeyCheck {
  /** To negotiate, the known types first. */
  readonly algorithms: string[];
  /** @returns why the key is refused; `null`: it is taken. */
  judge(key: Buffer): Promise<Problem | null>;
}

export async function prepareHostKeyCheck(
  target: Target,
  { hostKeys, knownHosts }: HostKeyPolicy,
): Promise<HostKeyCheck> {
  const files = [...new Set([knownHosts, ...target.knownHostsFiles, systemFile])];
  const entries = (
    await Promise.all(files.map(async (file) => parseKnownHosts(await contentOf(file), file)))
  ).flat();
  const host = knownHostName(target.hostName, target.port);
  return {
    algorithms: preferredTypes(entries, host, algorithms),
    async judge(key) {
      const verdict = judgeHostKey(entries, host, key);
      if (verdict.kind === 'known') return null;
      if (verdict.kind !== 'unknown') return refusal(verdict, host, key);
      if (hostKeys === 'strict') return unknown(host, key, knownHosts);
      await remember(knownHosts, knownHostsLine(host, key));
      return null;
    },
  };
}

async function contentOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return '';
    throw error;
  });
}

/** One write at the end of the file: other programs may do the same. */
async function remember(file: string, line: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const before = await contentOf(file);
  const open = before !== '' && !before.endsWith('\n');
  await appendFile(file, open ? `\n${line}` : line, { mode: 0o600 });
}

function refusal(
  { file, kind, line }: { kind: 'changed' | 'revoked' | 'authority'; file: string; line: number },
  host: string,
  key: Buffer,
): Problem {
  const shown = keyType(key);
  const said = {
    changed: {
      code: 'host-key-changed',
      message: `${host} shows another ${shown} key than the one that is known: somebody may be in between, or the host was made anew`,
      hint: `when you know that it was made anew: ssh-keygen -R '${host}' -f ${file}`,
    },
    revoked: {
      code: 'host-key-revoked',
      message: `${host} shows a key that was revoked`,
      hint: 'give the host another key',
    },
    authority: {
      code: 'host-key-authority',
      message: `${host} is known by a certificate authority only, which fctl does not check`,
      hint: `add its own key: ssh-keyscan '${host}'`,
    },
  }[kind];
  return problem({ ...said, file, line });
}

function unknown(host: string, key: Buffer, file: string): Problem {
  return problem({
    code: 'host-key-unknown',
    message: `the ${keyType(key)} key of ${host} is not known in ${file}`,
    hint: 'log in once with ssh to check and keep it, or set providers.standalone.hostKeys: accept-new',
  });
}
