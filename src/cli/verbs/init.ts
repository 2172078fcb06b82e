/** `fctl init`: a new project from `templates/init/`. */
import { constants, copyFile, mkdir, readdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { ClusterError, UsageError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { CommonOptions, Context } from '../context.ts';

interface InitFlags extends CommonOptions {
  readonly template?: string;
}

export async function run(context: Context<InitFlags>, folder: string | undefined): Promise<void> {
  const template = context.options.template ?? 'word-count';
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
  const existing: string[] = await filesBelow(target).catch(() => []);
  const clashes = files.filter((file) => existing.includes(file));
  if (clashes.length > 0) {
    throw new ClusterError(
      ExitCode.conflict,
      clashes.map((file) =>
        problem({
          code: 'file-exists',
          message: `${file} exists already`,
          file: join(target, file),
        }),
      ),
    );
  }
  for (const file of files) {
    await mkdir(dirname(join(target, file)), { recursive: true });
    await copyFile(join(source, file), join(target, file), constants.COPYFILE_EXCL);
  }
  const where = relative(context.place.cwd, target) || '.';
  const next = [...(where === '.' ? [] : [`cd ${where}`]), 'npm install', 'npx fctl deploy'];
  context.report.result({ folder: target, template, files }, () =>
    [`Made ${files.length} files in ${where}. Next:`, ...next.map((line) => `  ${line}`)].join(
      '\n',
    ),
  );
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
