import { createHmac, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  judgeHostKey,
  keyType,
  knownHostName,
  knownHostsLine,
  namesHost,
  parseKnownHosts,
  preferredTypes,
} from '../../../../src/providers/standalone/ssh/known-hosts.ts';

/** A public key of a type, as it goes over the wire. */
function key(type: string, content: string): Buffer {
  const parts = [Buffer.from(type), Buffer.from(content)];
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}
const ed = key('ssh-ed25519', 'one');
const other = key('ssh-ed25519', 'another');
const ec = key('ecdsa-sha2-nistp256', 'one');
const line = (names: string, blob: Buffer) =>
  `${names} ${keyType(blob)} ${blob.toString('base64')}`;
const judge = (text: string, host: string, blob: Buffer) =>
  judgeHostKey(parseKnownHosts(text, 'file'), host, blob);
const hashed = (host: string) => {
  const salt = randomBytes(20);
  const hash = createHmac('sha1', salt).update(host).digest('base64');
  return `|1|${salt.toString('base64')}|${hash}`;
};

describe('names', () => {
  it.each([
    ['h1', 'h1', true],
    ['H1', 'h1', true],
    ['h1,h2', 'h2', true],
    ['h1', 'h11', false],
    ['h1', '[h1]:2222', false],
    ['[h1]:2222', '[h1]:2222', true],
    ['*.lab', 'h1.lab', true],
    ['h?', 'h12', false],
    ['*', 'anything', true],
    ['*,!h1', 'h1', false],
    ['!h1,*', 'h1', false],
    ['10.0.0.*', '10.0.0.7', true],
    ['[10.0.0.*]:*', '[10.0.0.7]:22022', true],
    ['a*b*c', 'aXbYc', true],
    ['a*b*c', 'aXbY', false],
  ])('%s and %s: %s', (names, host, expected) => {
    expect(namesHost(names, host)).toBe(expected);
  });

  it('hashed ones match their host and no other', () => {
    fc.assert(
      fc.property(fc.domain(), fc.domain(), (host, another) => {
        fc.pre(host !== another);
        const names = hashed(host);
        expect(namesHost(names, host)).toBe(true);
        expect(namesHost(names, another)).toBe(false);
      }),
    );
  });

  it('a pattern made from a host matches it, however many stars there are', () => {
    fc.assert(
      fc.property(fc.domain(), fc.array(fc.nat()), (host, cuts) => {
        const pattern = Array.from(host)
          .map((letter, at) => (cuts.includes(at) ? '*' : letter))
          .join('');
        expect(namesHost(pattern, host)).toBe(true);
      }),
    );
    const evil = `${'*a'.repeat(2000)}b`;
    expect(namesHost(evil, 'a'.repeat(5000))).toBe(false);
  });
});

describe('verdicts', () => {
  it('knows a key, and tells one that changed with its line', () => {
    const text = `# comment\n\n${line('h1', ed)} me@here\n${line('h2', other)}\n`;
    expect(judge(text, 'h1', ed)).toEqual({ kind: 'known' });
    expect(judge(text, 'h2', ed)).toEqual({ kind: 'changed', file: 'file', line: 4 });
    expect(judge(text, 'h3', ed)).toEqual({ kind: 'unknown' });
    expect(judge(text, knownHostName('h1', 2222), ed)).toEqual({ kind: 'unknown' });
  });

  it('X1: takes a key of another type for a change', () => {
    const text = line('h1', ec);
    expect(judge(text, 'h1', ed)).toMatchObject({ kind: 'changed', line: 1 });
    const types = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512'];
    expect(preferredTypes(parseKnownHosts(text, 'file'), 'h1', types)).toEqual([
      'ecdsa-sha2-nistp256',
      'ssh-ed25519',
      'rsa-sha2-512',
    ]);
    const rsa = parseKnownHosts(line('h1', key('ssh-rsa', 'one')), 'file');
    expect(preferredTypes(rsa, 'h1', types)[0]).toBe('rsa-sha2-512');
  });

  it('X2: refuses a revoked key wherever it is known too', () => {
    const text = `${line('h1', ed)}\n@revoked ${line('*', ed)}\n`;
    expect(judge(text, 'h1', ed)).toMatchObject({ kind: 'revoked', line: 2 });
    expect(judge(`@revoked ${line('*', other)}\n${line('h1', ed)}`, 'h1', ed).kind).toBe('known');
  });

  it('says that it checks no certificate authorities', () => {
    const text = `@cert-authority ${line('*.lab', other)}`;
    expect(judge(text, 'h1.lab', ed)).toMatchObject({ kind: 'authority', line: 1 });
    expect(judge(`${text}\n${line('h1.lab', ed)}`, 'h1.lab', ed).kind).toBe('known');
  });

  it('X3: whatever stands in the file, nothing is known by it that is not written there', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (lines) => {
        expect(judge(lines.join('\n'), 'h1', ed).kind).not.toBe('known');
        const text = [...lines.map((each) => each.replaceAll('\n', ' ')), line('h1', ed)].join(
          '\n',
        );
        expect(['known', 'revoked']).toContain(judge(text, 'h1', ed).kind);
      }),
    );
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.domain(), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        const name = knownHostName(host, port);
        expect(judge(knownHostsLine(name, ed), name, ed)).toEqual({ kind: 'known' });
        expect(judge(knownHostsLine(name, ed), name, other).kind).toBe('changed');
      }),
    );
  });

  it('agrees with ssh-keygen about hashed files', ({ skip }) => {
    const folder = mkdtempSync(join(tmpdir(), 'fctl-known-'));
    try {
      const file = join(folder, 'known_hosts');
      writeFileSync(file, `${line('h1,10.0.0.1', ed)}\n${line('[h2]:2222', ec)}\n`);
      try {
        execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
      } catch {
        skip('there is no ssh-keygen, or it knows no such keys');
      }
      const text = execFileSync('cat', [file], { encoding: 'utf8' });
      expect(text).toContain('|1|');
      for (const name of ['h1', '10.0.0.1']) expect(judge(text, name, ed).kind).toBe('known');
      expect(judge(text, '[h2]:2222', ec).kind).toBe('known');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
