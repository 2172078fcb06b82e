/** Log files that are written and rotated, as processes do it, while they are read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLogs } from '../../src/contract/log-files.ts';
import { RotatingFile } from '../../src/runtime/logging/rotating-file.ts';

const name = 'taskmanager-0.log';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fctl-logs-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const write = (file: string, text: string) => writeFileSync(join(directory, file), text);

async function read(tail: number | null): Promise<string> {
  const signal = new AbortController().signal;
  let text = '';
  for await (const chunk of readLogs(directory, name, {
    follow: false,
    tail,
    signal,
  }))
    text += String(chunk);
  return text;
}

/** Follows until `wanted` was seen, or fails with what was seen instead. */
function following(tail: number | null) {
  const stop = new AbortController();
  const options = { follow: true, tail, signal: stop.signal } as const;
  const stream = readLogs(directory, name, options);
  let seen = '';
  stream.on('data', (chunk: string) => (seen += chunk));
  const ended = new Promise<string>((resolve, reject) => {
    stream.on('end', () => resolve(seen)).on('error', reject);
  });
  return {
    until: (text: string) => expect.poll(() => seen).toContain(text),
    stop: () => {
      stop.abort();
      return ended;
    },
  };
}

describe('reading', () => {
  it('goes from the oldest file to the current one', async () => {
    write(`${name}.10`, 'a\n');
    write(`${name}.2`, 'b\n');
    write(`${name}.1`, 'c\n');
    write(name, 'd\n');
    write(`${name}.old`, 'not one of them\n');
    expect(await read(null)).toBe('a\nb\nc\nd\n');
  });

  it('takes the last lines, as many as there are', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 8 }).map((s) => s.replaceAll('\n', ''));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.array(line),
        fc.nat(12),
        fc.boolean(),
        async (old, recent, count, ended) => {
          const older = ['oldest', ...old].map((l) => `${l}\n`).join('');
          const newer = recent.join('\n') + (ended && recent.length > 0 ? '\n' : '');
          write(`${name}.1`, older);
          write(name, newer);
          const lines = (older + newer).split(/(?<=\n)/).filter((l) => l !== '');
          expect(await read(count)).toBe(lines.slice(Math.max(0, lines.length - count)).join(''));
        },
      ),
    );
  });
});

describe('following', () => {
  it.each([1, 3])('tells each line once through rotations (%i files kept)', async (maxFiles) => {
    const log = new RotatingFile(name, { directory, maxSizeBytes: 64_000, maxFiles });
    const lines = Array.from({ length: 40 }, (_, i) => `${i} ${'ü'.repeat(1000)}\n`);
    log.write(lines[0]!);
    const reader = following(null);
    for (const [i, line] of lines.entries()) {
      if (i > 0) log.write(line);
      // Now and then the reader keeps up, so that it meets rotations at different places.
      if (i % 7 === 0) await reader.until(`${i} `);
    }
    log.close();
    expect(await reader.stop()).toBe(lines.join(''));
  });

  it('tells what was written between its last look and a rotation', async () => {
    const log = new RotatingFile(name, { directory, maxSizeBytes: 100, maxFiles: 3 });
    log.write('first\n');
    const reader = following(null);
    await reader.until('first');
    for (const line of ['second\n', `${'x'.repeat(90)}\n`, `${'y'.repeat(90)}\n`]) log.write(line);
    log.close();
    const text = await reader.stop();
    expect(text).toBe(`first\nsecond\n${'x'.repeat(90)}\n${'y'.repeat(90)}\n`);
  });

  it('begins behind what is there when no line was asked for', async () => {
    write(name, 'old\n');
    const reader = following(0);
    expect(await reader.stop()).toBe('');
  });

  it('waits for a file that is not there yet', async () => {
    const reader = following(null);
    const log = new RotatingFile(name, { directory, maxSizeBytes: 100, maxFiles: 1 });
    log.write('at last\n');
    await reader.until('at last');
    log.close();
    expect(await reader.stop()).toBe('at last\n');
  });

  it('goes on at the start of a file that was truncated and not copied', async () => {
    const log = new RotatingFile(name, { directory, maxSizeBytes: 10, maxFiles: 0 });
    log.write('first...\n');
    const reader = following(null);
    await reader.until('first');
    log.write('next\n');
    await reader.until('next');
    log.close();
    expect(await reader.stop()).toBe('first...\nnext\n');
  });
});
