/** The record and uploads as files, for what moves between hosts. */
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseFileName } from '../../../record/drivers/file.ts';
import { type ClusterLayout, namesIn, removeOf } from '../../local/layout.ts';
import type { RecordFiles } from './requests.ts';

const documents = async (folder: string) =>
  (await namesIn(folder)).filter((name) => parseFileName(name) !== null);

export async function readRecordFiles({ record }: ClusterLayout): Promise<RecordFiles> {
  const names = await documents(record);
  const texts = await Promise.all(
    // Who writes at the same time removes the oldest.
    names.map((name) => readFile(join(record, name), 'utf8').catch(() => null)),
  );
  return Object.fromEntries(
    names.flatMap((name, index) => (texts[index] === null ? [] : [[name, texts[index]!]])),
  );
}

/** Replaces what is here of the record by what it is elsewhere. */
export async function writeRecordFiles(layout: ClusterLayout, files: RecordFiles): Promise<void> {
  const { record } = layout;
  await removeOf(layout, record);
  await mkdir(record, { recursive: true, mode: 0o700 });
  for (const [name, content] of Object.entries(files)) {
    const temporary = join(record, `.${name}.tmp`);
    await writeFile(temporary, content, { mode: 0o600, flush: true });
    await link(temporary, join(record, name));
    await rm(temporary);
  }
}

export async function moveInPlace(file: string, folder: string, name: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await rename(file, join(folder, name));
}
