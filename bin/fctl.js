#!/usr/bin/env node
// Launcher: under an older Node.js it runs fctl with a newer one, if there is one. No other logic, and no
// syntax that an older Node.js does not know.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const needed = [22, 18];
const entry = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist', 'cli.js');

function isNewEnough(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major > needed[0] || (major === needed[0] && minor >= needed[1]);
}

/** This repository's own Node.js, or one that fctl fetched for a target platform. */
function findNode() {
  const root = join(dirname(entry), '..');
  const name = `node-${process.platform}-${process.arch}`;
  const candidates = [name, `node-bin-${process.platform}-${process.arch}`].map((dir) =>
    join(root, 'node_modules', dir, 'bin', 'node'),
  );
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'fctl', 'node');
  if (existsSync(cache)) {
    for (const version of readdirSync(cache)) {
      if (isNewEnough(version)) candidates.push(join(cache, version, 'bin', 'node'));
    }
  }
  return candidates.find((file) => existsSync(file));
}

/** Runs the same command line with another Node.js and ends as that ends. */
function rerun(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  // A terminal sends Ctrl-C to both; other senders only to the one they know.
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => {
    for (const name of signals) process.removeAllListeners(name);
    if (signal) process.kill(process.pid, signal);
    else process.exit(code);
  });
}

if (isNewEnough(process.version)) {
  if (existsSync(entry)) {
    nodeModule.enableCompileCache?.();
    await import(entry);
  } else {
    process.stderr.write('fctl is not built. In its repository: npm run build\n');
    process.exitCode = 1;
  }
} else {
  const node = findNode();
  if (node) rerun(node);
  else {
    process.stderr.write(
      `fctl needs Node.js ${needed.join('.')} or newer; this is ${process.version}.\n` +
        'Install a newer Node.js, for example with your package manager, nvm or fnm.\n',
    );
    process.exitCode = 2;
  }
}
