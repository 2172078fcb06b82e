/**
 * The files of a Web UI, as they lie in a folder.
 *
 * F1  Only what was found by walking the folder is served, links left out: no path leads anywhere else.
 * F2  A file is sent as it is now; a browser that has it already is told so (`ETag`).
 */
import { type FileHandle, open, readdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, relative, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UsageError, problem } from '../../contract/errors.ts';

/** The file for a path of a URL, still encoded; `null`: there is none. */
export type FindFile = (path: string) => string | null;

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=UTF-8',
  '.gif': 'image/gif',
  '.html': 'text/html; charset=UTF-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=UTF-8',
  '.json': 'application/json; charset=UTF-8',
  '.map': 'application/json; charset=UTF-8',
  '.mjs': 'text/javascript; charset=UTF-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.txt': 'text/plain; charset=UTF-8',
  '.wasm': 'application/wasm',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
};

/** @throws UsageError when the folder is none, or has no `index.html`. */
export async function findFiles(directory: string): Promise<FindFile> {
  const root = resolve(directory);
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      throw unusable(`cannot read the folder ${root}: ${error.message}`);
    },
  );
  const files = new Map<string, string>();
  for (const entry of entries) {
    if (!entry.isFile()) continue; // F1
    const file = join(entry.parentPath, entry.name);
    files.set(`/${relative(root, file).split(sep).join('/')}`, file);
  }
  const index = files.get('/index.html');
  if (index === undefined) throw unusable(`the folder ${root} has no index.html`);
  files.set('/', index);
  return (path) => files.get(decode(path)) ?? null;
}

function unusable(message: string): UsageError {
  const hint =
    "Flink's Web UI is the folder web in lib/flink-dist-*.jar of its distribution: unpack it";
  return new UsageError(problem({ code: 'no-ui', message, hint }));
}

/** Empty, which is no file's path, when it cannot be decoded. */
function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}

/** F2. Rejects when the file is gone, or the client. */
export async function sendFile(
  file: string,
  incoming: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const handle = await open(file);
  try {
    await sendOpened(handle, file, incoming, answer);
  } finally {
    await handle.close();
  }
}

async function sendOpened(
  handle: FileHandle,
  file: string,
  { headers, method }: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const { mtimeMs, size } = await handle.stat();
  const etag = `W/"${size.toString(16)}-${Math.round(mtimeMs).toString(16)}"`;
  const common = { etag, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' };
  const known = headers['if-none-match']?.split(',').map((tag) => tag.trim());
  if (known?.includes(etag) || known?.includes('*')) {
    answer.writeHead(304, common).end();
    return;
  }
  const type = types[extname(file).toLowerCase()] ?? 'application/octet-stream';
  answer.writeHead(200, { ...common, 'content-type': type, 'content-length': size });
  if (method === 'HEAD' || size === 0) answer.end();
  else await pipeline(handle.createReadStream({ autoClose: false, end: size - 1 }), answer);
}
