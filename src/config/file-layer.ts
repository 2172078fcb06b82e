/** A config file as a layer, whatever it is written in. */
import { extname } from 'node:path';
import type { ConfigFile } from './find.ts';
import type { FileLayer } from './layer.ts';

/** The parsers are loaded when a file is there for them. */
export async function fileLayer(found: ConfigFile): Promise<FileLayer> {
  if (['.ts', '.js', '.mjs'].includes(extname(found.file))) {
    const { scriptLayer } = await import('./script-file.ts');
    return scriptLayer(found.file);
  }
  const { textLayer } = await import('./text-file.ts');
  return textLayer(found);
}
