/** Reads rotated log files: `NAME.log.2`, `NAME.log.1`, `NAME.log` from old to new. */
import { open, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import type { LogOptions } from '../provider.ts';
import { namesIn } from './layout.ts';

const followPollMs = 200;
const chunkBytes = 64 * 1024;

/** Lines of a log, oldest first, each with its line end. Ends when followed only by `options.signal`. */
export function readLogs(folder: string, file: string, options: LogOptions): Readable {
  return Readable.from(lines(folder, file, options), { objectMode: false });
}

async function* lines(folder: string, file: string, options: LogOptions): AsyncGenerator<string> {
  const older = await rotated(folder, file);
  const text: string[] = [];
  for (const name of older) text.push(...(await readWhole(join(folder, name))));
  const current = join(folder, file);
  const position = await stat(current).then(
    (s) => ({ inode: s.ino, offset: s.size }),
    () => ({ inode: -1, offset: 0 }),
  );
  text.push(...(await readWhole(current, position.offset)));
  for (const line of options.tail === null ? text : text.slice(-options.tail)) yield line;
  if (options.follow) yield* follow(current, position, options.signal);
}

async function rotated(folder: string, file: string): Promise<string[]> {
  const numbers = (await namesIn(folder))
    .filter((name) => name.startsWith(`${file}.`))
    .map((name) => Number(name.slice(file.length + 1)))
    .filter((n) => Number.isInteger(n) && n > 0);
  return numbers.sort((a, b) => b - a).map((n) => `${file}.${n}`);
}

async function readWhole(path: string, end?: number): Promise<string[]> {
  const file = await open(path).catch(() => null);
  if (file === null) return [];
  try {
    const text = (await file.readFile('utf8')).slice(0, end);
    return text.split(/(?<=\n)/).filter((line) => line !== '');
  } finally {
    await file.close();
  }
}

async function* follow(
  path: string,
  start: { inode: number; offset: number },
  signal: AbortSignal,
): AsyncGenerator<string> {
  let { inode, offset } = start;
  while (!signal.aborted) {
    const file = await open(path).catch(() => null);
    if (file !== null) {
      try {
        const { ino, size } = await file.stat();
        if (ino !== inode || size < offset) offset = 0; // rotated
        inode = ino;
        while (offset < size) {
          const { bytesRead, buffer } = await file.read(
            Buffer.alloc(chunkBytes),
            0,
            chunkBytes,
            offset,
          );
          if (bytesRead === 0) break;
          offset += bytesRead;
          yield buffer.toString('utf8', 0, bytesRead);
        }
      } finally {
        await file.close();
      }
    }
    await delay(followPollMs, undefined, { signal }).catch(() => undefined);
  }
}
