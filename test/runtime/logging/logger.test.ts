import { mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LoggingConfig } from '../../../src/contract/runtime-config.ts';
import { onTmpfs, whyNoTmpfs } from '../../tmpfs.ts';
import { createLogger, createOutput } from '../../../src/runtime/logging/logger.ts';
import { RotatingFile } from '../../../src/runtime/logging/rotating-file.ts';

let directory: string;
const config = (over: Partial<LoggingConfig> = {}): LoggingConfig => ({
  level: 'info',
  directory,
  maxSizeBytes: 1024 * 1024,
  maxFiles: 3,
  ...over,
});
const linesOf = (name: string) =>
  readFileSync(join(directory, name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fctl-log-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('createLogger', () => {
  it('writes one JSON line a call, at once, with the fields of its parents', () => {
    const logger = createLogger(config(), 'taskmanager-0', { clock: () => 0 });
    logger.child({ slot: 1 }).warn('slow', { ms: 12n });
    expect(linesOf('taskmanager-0.log')).toEqual([
      {
        time: '1970-01-01T00:00:00.000Z',
        level: 'warn',
        resource: 'taskmanager-0',
        slot: 1,
        message: 'slow',
        ms: '12',
      },
    ]);
    logger.close();
  });

  it('leaves out what is below its level', () => {
    const logger = createLogger(config({ level: 'warn' }), 'x');
    logger.info('no');
    logger.debug('no');
    logger.error('yes');
    expect(linesOf('x.log').map((line) => line['message'])).toEqual(['yes']);
    logger.close();
  });

  it('writes errors with stack and cause, and survives values that JSON cannot say', () => {
    const logger = createLogger(config(), 'x');
    logger.error('failed', { error: new Error('outer', { cause: new TypeError('inner') }) });
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    logger.error('circular', { circular });
    const [first, second] = linesOf('x.log');
    expect(first).toMatchObject({
      error: { message: 'outer', cause: { name: 'TypeError', message: 'inner' } },
    });
    expect((first as { error: { stack: string } }).error.stack).toContain('logger.test.ts');
    expect(second).toMatchObject({
      message: 'circular',
      unloggable: expect.stringContaining('circular') as string,
    });
    logger.close();
  });

  it('appends to the log of an earlier process', () => {
    for (const message of ['first', 'second']) {
      const logger = createLogger(config(), 'x');
      logger.info(message);
      logger.close();
    }
    expect(linesOf('x.log').map((line) => line['message'])).toEqual(['first', 'second']);
  });
});

describe('RotatingFile', () => {
  it('keeps the newest files, each below the limit, without a gap between them', () => {
    const file = new RotatingFile('x.log', config({ maxSizeBytes: 50, maxFiles: 2 }));
    for (let i = 0; i < 40; i++) file.write(`line ${String(i).padStart(3, '0')}\n`);
    file.close();
    expect(readdirSync(directory).toSorted()).toEqual(['x.log', 'x.log.1', 'x.log.2']);
    const text = ['x.log.2', 'x.log.1', 'x.log'].map((name) =>
      readFileSync(join(directory, name), 'utf8'),
    );
    for (const part of text) expect(part.length).toBeLessThanOrEqual(50);
    const kept = text.join('').trimEnd().split('\n');
    expect(kept.at(-1)).toBe('line 039');
    expect(kept.map((line) => Number(line.slice(5)))).toEqual(
      Array.from({ length: kept.length }, (_, i) => 40 - kept.length + i),
    );
  });

  it('keeps a descriptor that someone else holds on the current file', () => {
    const output = createOutput(config({ maxSizeBytes: 20, maxFiles: 1 }), 'x');
    const stderr = openSync(join(directory, 'x.out'), 'a');
    output.write('0123456789012345\n');
    output.write('0123456789012345\n');
    writeSync(stderr, 'crash\n');
    expect(readFileSync(join(directory, 'x.out'), 'utf8')).toBe('0123456789012345\ncrash\n');
    output.close();
  });

  it.skipIf(whyNoTmpfs !== null)('keeps old logs where the disk is full (R4)', async () => {
    await onTmpfs(directory, 64, async () => {
      const file = new RotatingFile('a.log', config({ maxSizeBytes: 16 * 1024, maxFiles: 3 }));
      const line = (n: number) => `${String(n).padStart(999, '0')}\n`;
      let written = 0;
      while (file.dropped === 0) file.write(line(written++));
      const names = readdirSync(directory).toSorted();
      // Of 16 KiB each: the next copy has no room.
      expect(names).toEqual(['a.log', 'a.log.1', 'a.log.2', 'a.log.3']);
      const kept = () => readdirSync(directory).map((name) => readFileSync(join(directory, name)));
      const before = kept();
      for (let i = 0; i < 100; i++) file.write(line(0));
      expect(kept()).toEqual(before);
      rmSync(join(directory, 'a.log.2'));
      for (let i = 0; i < 20; i++) file.write(line(1));
      expect(readFileSync(join(directory, 'a.log'), 'utf8')).toContain(line(1));
    });
  });

  it('counts what it could not write and goes on', () => {
    const file = new RotatingFile('x.log', config({ maxSizeBytes: 10, maxFiles: 1 }));
    file.write('0123456789');
    rmSync(join(directory, 'x.log')); // Rotation finds nothing to copy.
    file.write('lost');
    expect(file.dropped).toBe(1);
    expect(() => new RotatingFile('x.log', config({ directory: '/dev/null/x' }))).toThrow();
    file.close();
  });
});
