// Run by npm after an installation, with whatever Node.js there is: npm 10 removes node_modules/.bin/node,
// which npm scripts need, together with the packages for other platforms that it skips. npm 11 keeps it.
import { existsSync, symlinkSync } from 'node:fs';

const modules = new URL('../node_modules/', import.meta.url);
const link = new URL('.bin/node', modules);
const platform = `${process.platform}-${process.arch}`;
const folder = [`node-${platform}`, `node-bin-${platform}`].find((name) =>
  existsSync(new URL(`${name}/bin/node`, modules)),
);
if (folder && !existsSync(link)) symlinkSync(`../${folder}/bin/node`, link);
