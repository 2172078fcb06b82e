/** `fctl init`: a new project from `templates/init/`. */
import { existsSync } from 'node:fs';
import { constants, copyFile, mkdir, readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { ClusterError, UsageError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { init as declaration } from '../commands/init.ts';
import type { Context } from '../context.ts';
import type { Given } from '../verb.ts';

export async function run(
  context: Context,
  { folder, template }: Given<typeof declaration>,
): Promise<void> {
  const templates = join(context.place.runtimeDir, '..', 'templates', 'init');
  const known = (await readdir(templates)).sort();
  if (!known.includes(template)) {
    throw new UsageError(
      problem({
        code: 'unknown-template',
        message: `there is no template '${template}'`,
        hint: `one of ${known.join(', ')}`,
      }),
    );
  }
  const source = join(templates, template);
  const target = resolve(context.place.cwd, folder ?? '.');
  const files = await filesBelow(source);
  const clashes = files.filter((file) => existsSync(join(target, file)));
  if (clashes.length > 0) {
    throw new ClusterError(
      ExitCode.conflict,
      clashes.map((file) =>
        problem({
          code: 'file-exists',
          message: `${file} exists already`,
          file: join(target, file),
          hint: "nothing was made; name another folder: 'fctl init my-job'",
        }),
      ),
    );
  }
  await copyAll(files, source, target);
  const where = relative(context.place.cwd, target) || '.';
  const next = [...(where === '.' ? [] : [`cd ${where}`]), 'npm install', 'npx fctl deploy'];
  context.report.result({ folder: target, template, files }, () =>
    [
      `Made ${files.length} files in ${where === '.' ? 'this folder' : where}. Next:`,
      ...next.map((line) => `  ${line}`),
    ].join('\n'),
  );
}

/** @throws UsageError when the target cannot be written. */
async function copyAll(files: readonly string[], source: string, target: string): Promise<void> {
  try {
    for (const file of files) {
      await mkdir(dirname(join(target, file)), { recursive: true });
      await copyFile(join(source, file), join(target, file), constants.COPYFILE_EXCL);
    }
  } catch (error) {
    throw new UsageError(
      problem({
        code: 'folder-not-writable',
        message: `a project cannot be made in ${target}: ${(error as Error).message}`,
        hint: 'name a folder that you may write, or one that does not exist yet',
      }),
      { cause: error },
    );
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
