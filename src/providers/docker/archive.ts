/** Files of a container by the engine's archive API: it serves containers that do not run, too. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';
import type { EngineClient } from './client.ts';
import { nullIfNotFound } from './errors.ts';

/** Something was removed or written while the engine packed it: a new look is a whole one. */
const tries = 5;

export interface ArchivedFile {
  /** Relative to the parent of what was asked for: `record/lock.3.json`. */
  readonly path: string;
  readonly content: Buffer;
  readonly modifiedAt: number;
}

export interface Archive {
  readonly files: readonly ArchivedFile[];
  /** By the engine's clock, in ms. */
  readonly readAt: number | null;
}

/** A file, or a folder with all that is in it; `null`: there is no such path, or no such container. */
export async function readArchive(
  engine: EngineClient,
  container: string,
  path: string,
): Promise<Archive | null> {
  for (let tried = 1; ; tried++) {
    try {
      const stream = await engine
        .ask((docker) => docker.getContainer(container).getArchive({ path }))
        .catch(nullIfNotFound);
      return stream === null ? null : await unpack(stream as IncomingMessage);
    } catch (error) {
      if ((error as Error).message !== 'Unexpected end of data' || tried === tries) throw error;
    }
  }
}

async function unpack(stream: IncomingMessage): Promise<Archive> {
  const files: ArchivedFile[] = [];
  const entries = stream.pipe(extract());
  stream.once('error', (error) => entries.destroy(error));
  for await (const entry of entries) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const { mtime, name, type } = entry.header;
    if (type !== 'file') continue;
    files.push({ path: name, content: Buffer.concat(chunks), modifiedAt: mtime?.getTime() ?? 0 });
  }
  const date = Date.parse(stream.headers.date ?? '');
  return { files, readAt: Number.isNaN(date) ? null : date };
}

export interface NewEntry {
  readonly name: string;
  readonly mode: number;
  /** `null`: a folder. */
  readonly content: Readable | null;
  readonly sizeBytes: number;
}

/**
 * Lays files and folders, owned by one user.
 * @param onBytes called with the bytes read of them so far.
 */
export async function writeArchive(
  engine: EngineClient,
  container: string,
  path: string,
  entries: readonly NewEntry[],
  {
    onBytes,
    owner,
    signal,
  }: { owner: number; signal: AbortSignal; onBytes?: (sent: number) => void },
): Promise<void> {
  const tar = pack();
  const sent = engine.ask(
    (docker) =>
      docker.getContainer(container).putArchive(tar as unknown as NodeJS.ReadableStream, {
        path,
        abortSignal: signal,
      }),
    { repeatable: false, timeoutMs: 600_000 },
  );
  sent.catch((error: Error) => tar.destroy(error));
  let bytes = 0;
  try {
    for (const { content, mode, name, sizeBytes } of entries) {
      const header = { name, mode, uid: owner, gid: owner, mtime: new Date() };
      if (content === null) {
        tar.entry({ ...header, type: 'directory' });
        continue;
      }
      const entry = tar.entry({ ...header, size: sizeBytes });
      content.on('data', (chunk: Buffer) => onBytes?.((bytes += chunk.length)));
      content.pipe(entry);
      await Promise.all([finished(content), finished(entry)]);
    }
    tar.finalize();
  } catch (error) {
    tar.destroy(error as Error);
    await sent.catch(() => {});
    throw error;
  }
  await sent;
}

/** A folder's owner, and whether anything is in it; `null`: there is none. */
export async function peekFolder(
  engine: EngineClient,
  container: string,
  path: string,
): Promise<{ owner: number; isEmpty: boolean } | null> {
  const stream = await engine
    .ask((docker) => docker.getContainer(container).getArchive({ path }))
    .catch(nullIfNotFound);
  if (stream === null) return null;
  const entries = (stream as IncomingMessage).pipe(extract());
  let owner: number | null = null;
  try {
    for await (const entry of entries) {
      if (owner !== null) return { owner, isEmpty: false };
      owner = entry.header.uid ?? 0;
      entry.resume();
    }
    return owner === null ? null : { owner, isEmpty: true };
  } finally {
    (stream as IncomingMessage).destroy();
  }
}
