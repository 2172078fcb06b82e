/** The pinned Node.js of a target platform: from the cache, from here, or from npm; never other bytes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NODE_VERSION, fetchNode } from '../../src/packaging/target-node.ts';

const root = join(import.meta.dirname, '../..');

it('is the one that this repository is tested with', async () => {
  const text = await readFile(join(root, 'tools/node/package.json'), 'utf8');
  const { optionalDependencies } = JSON.parse(text);
  for (const arch of ['x64', 'arm64']) {
    expect(optionalDependencies[`node-linux-${arch}`]).toBe(NODE_VERSION);
  }
  expect(fetchNode).toBeTypeOf('function');
});
