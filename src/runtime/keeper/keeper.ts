/** Answers the requests of a client about the volume of a cluster, one after the other. */
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { FctlError } from '../../contract/errors.ts';
import { checkFence } from '../../record/fence.ts';
import { createFileStore } from '../../record/drivers/file.ts';
import { sha256OfFile } from '../../contract/hash.ts';
import {
  type KeeperAnswer,
  type KeeperOperation,
  type KeeperOperations,
  type KeeperRequest,
  toKept,
} from '../../record/keeper-messages.ts';

/** Ends with the input. Requests are answered in their order. */
export async function runKeeper(volume: string, input: Readable, output: Writable): Promise<void> {
  const keeper = createKeeper(volume);
  const send = (answer: KeeperAnswer) => output.write(`${JSON.stringify(answer)}\n`);
  for await (const line of createInterface({ input })) {
    const { id, operation, request } = JSON.parse(line) as KeeperRequest;
    const perform = async () => (keeper[operation] as (request: unknown) => unknown)(request);
    await perform().then(
      (answer) => send({ id, answer }),
      (error: Error) => {
        const problem = error instanceof FctlError ? error.problems[0]! : null;
        send({ id, error: { message: error.message, problem } });
      },
    );
  }
}

type Keeper = {
  readonly [O in KeeperOperation]: (
    request: KeeperOperations[O]['request'],
  ) => Promise<KeeperOperations[O]['answer']>;
};

function createKeeper(volume: string): Keeper {
  // Whatever is asked for, nothing outside of the volume is touched.
  const at = (path: string) => {
    const full = join(volume, path);
    if (!full.startsWith(`${volume}/`)) throw new Error(`${path} is not in the volume`);
    return full;
  };
  const record = createFileStore(at('record'));
  return {
    read: async ({ names }) => {
      const found = await record.read(names);
      return names.map((name) => toKept(found.get(name)));
    },
    write: async ({ name, expected, value }) => {
      const version = await record.write(name, value, expected === 0 ? null : String(expected));
      return version === null ? null : Number(version);
    },
    lay: async ({ fence, files, folders, remove }) => {
      await checkFence(record, fence);
      for (const path of remove) await rm(at(path), { recursive: true, force: true });
      for (const path of folders) await mkdir(at(path), { recursive: true, mode: 0o700 });
      for (const { path, content, mode } of files) await layFile(at(path), content, mode);
      return null;
    },
    names: async ({ folder }) => ((await readdir(at(folder)).catch(nullIfMissing)) ?? []).sort(),
    remove: async ({ file }) => {
      await rm(at(file), { force: true });
      return null;
    },
    hash: ({ path }) => sha256OfFile(at(path)).catch(nullIfMissing),
    publish: async ({ from, sha256, to }) => {
      const isWhole = (await sha256OfFile(at(from))) === sha256;
      if (isWhole) await rename(at(from), at(to));
      else await rm(at(from), { force: true });
      return isWhole;
    },
  };
}

async function layFile(file: string, content: string, mode: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await rm(`${file}.tmp`, { force: true });
  await writeFile(`${file}.tmp`, content, { mode: 0o600, flag: 'wx' });
  await chmod(`${file}.tmp`, mode);
  await rename(`${file}.tmp`, file);
}

function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
