/**
 * `known_hosts` of OpenSSH (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): which key a host must show.
 *
 * ```
 * [MARKER ]NAMES KEYTYPE BASE64[ COMMENT]
 * NAMES   host | [host]:port | pattern with * and ? | !negated, with commas; or |1|SALT|HMAC-SHA1
 * MARKER  @revoked | @cert-authority
 * ```
 *
 * X1  A host that has any key here and shows another one has changed: also a key of another type, because
 *     the types that are known are asked for first (`preferredTypes`).
 * X2  A revoked key is refused whatever else is said of it.
 * X3  A line that is no entry is left out, as OpenSSH does.
 */
import { createHmac } from 'node:crypto';

interface Entry {
  readonly marker: 'revoked' | 'cert-authority' | null;
  readonly names: string;
  readonly type: string;
  readonly key: string;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

export type HostKeyVerdict =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'changed' | 'revoked' | 'authority';
      readonly file: string;
      readonly line: number;
    };

/** What a host is called here: other ports than 22 are a part of its name. */
export function knownHostName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

export function parseKnownHosts(text: string, file: string): Entry[] {
  return text.split('\n').flatMap((line, index) => {
    const fields = line.trim().split(/[ \t]+/);
    if (fields[0] === '' || fields[0]!.startsWith('#')) return [];
    const marker = /^@(revoked|cert-authority)$/.exec(fields[0]!)?.[1] as Entry['marker'];
    if (fields[0]!.startsWith('@') && marker === undefined) return []; // X3
    const [names, type, key] = marker ? fields.slice(1) : fields;
    if (key === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(key)) return []; // X3
    return [{ marker: marker ?? null, names: names!, type: type!, key, file, line: index + 1 }];
  });
}

/** Whether an entry's names mean a host, called as `knownHostName` says. */
export function namesHost(names: string, host: string): boolean {
  if (names.startsWith('|')) return isHashOf(names, host);
  let named = false;
  for (const pattern of names.split(',')) {
    const negated = pattern.startsWith('!');
    if (!matches(negated ? pattern.slice(1) : pattern, host)) continue;
    if (negated) return false;
    named = true;
  }
  return named;
}

function isHashOf(names: string, host: string): boolean {
  const [, version, salt, hash] = names.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(host).digest('base64') === hash;
}

/** `*` stands for any characters, `?` for one. Linear in both. */
function matches(pattern: string, text: string): boolean {
  const wanted = pattern.toLowerCase();
  let p = 0;
  let star = -1;
  let resume = 0;
  for (let t = 0; t < text.length;) {
    if (p < wanted.length && (wanted[p] === '?' || wanted[p] === text[t]) && wanted[p] !== '*') {
      p++;
      t++;
    } else if (wanted[p] === '*') {
      star = p++;
      resume = t;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (wanted[p] === '*') p++;
  return p === wanted.length;
}

/** Judges the key that a host shows. */
export function judgeHostKey(entries: readonly Entry[], host: string, key: Buffer): HostKeyVerdict {
  const shown = key.toString('base64');
  const own = entries.filter((entry) => namesHost(entry.names, host));
  const revoked = own.find((entry) => entry.marker === 'revoked' && entry.key === shown);
  if (revoked) return { kind: 'revoked', file: revoked.file, line: revoked.line }; // X2
  const plain = own.filter((entry) => entry.marker === null);
  if (plain.some((entry) => entry.key === shown)) return { kind: 'known' };
  if (plain[0]) {
    const type = keyType(key);
    const { file, line } = plain.find((entry) => entry.type === type) ?? plain[0];
    return { kind: 'changed', file, line }; // X1
  }
  const authority = own.find((entry) => entry.marker === 'cert-authority');
  if (authority) return { kind: 'authority', file: authority.file, line: authority.line };
  return { kind: 'unknown' };
}

/** The type that a public key names: its first string. */
export function keyType(key: Buffer): string {
  if (key.length < 4) return '';
  return key.toString('latin1', 4, 4 + key.readUInt32BE(0));
}

const signatures: Readonly<Record<string, readonly string[]>> = {
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** Algorithms to negotiate, those of known keys first (X1). @param all in the order of preference. */
export function preferredTypes(
  entries: readonly Entry[],
  host: string,
  all: readonly string[],
): string[] {
  const types = entries
    .filter((entry) => entry.marker === null && namesHost(entry.names, host))
    .flatMap(({ type }) => signatures[type] ?? [type]);
  const known = all.filter((type) => types.includes(type));
  return [...known, ...all.filter((type) => !known.includes(type))];
}

/** The line that makes a key known. */
export function knownHostsLine(host: string, key: Buffer): string {
  return `${host} ${keyType(key)} ${key.toString('base64')}\n`;
}
