#!/usr/bin/env node
// Launcher: under an older Node.js it runs fctl with a newer one, if there is one. No other logic, and
// no syntax that an older Node.js does not know.
import * as nodeModule from 'node:module';

const needed = [22, 18];
const root = new URL('../', import.meta.url);
const entry = new URL('dist/cli.js', root);

function isNewEnough(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major > needed[0] || (major === needed[0] && minor >= needed[1]);
}

/** This repository's own Node.js, or one that fctl fetched for a target platform. */
async function findNode() {
  const { existsSync, readdirSync } = await import('node:fs');
  const { homedir } = await import('node:os');
  const { join } = await import('node:path');
  const { fileURLToPath } = await import('node:url');
  const platform = `${process.platform}-${process.arch}`;
  const modules = fileURLToPath(new URL('node_modules/', root));
  const folders = [join(modules, `node-${platform}`), join(modules, `node-bin-${platform}`)];
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'fctl', 'node');
  if (existsSync(cache)) {
    // Named <version>-<platform>-<arch>; those of other platforms lie there too.
    const usable = readdirSync(cache).filter(
      (name) => name.endsWith(platform) && isNewEnough(name),
    );
    folders.push(...usable.map((name) => join(cache, name)));
  }
  return folders.map((folder) => join(folder, 'bin', 'node')).find((file) => existsSync(file));
}

/** Runs the same command line with another Node.js and ends as that ends. */
async function rerun(node) {
  const { spawn } = await import('node:child_process');
  const { isatty } = await import('node:tty');
  const { fileURLToPath } = await import('node:url');
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  // A terminal sends Ctrl-C to both; other senders only to the one they know.
  const hasTerminal = [0, 1, 2].some((fd) => isatty(fd));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !hasTerminal) child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => {
    for (const name of signals) process.removeAllListeners(name);
    if (signal) process.kill(process.pid, signal);
    else process.exitCode = code;
  });
}

async function runHere() {
  nodeModule.enableCompileCache?.();
  try {
    await import(entry);
  } catch (error) {
    if (error?.code !== 'ERR_MODULE_NOT_FOUND' || error.url !== entry.href) throw error;
    process.stderr.write('fctl is not built. In its repository: npm run build\n');
    process.exitCode = 1;
  }
}

async function rerunWithNewer() {
  const node = await findNode();
  if (node) return rerun(node);
  process.stderr.write(
    `fctl needs Node.js ${needed.join('.')} or newer; this is ${process.version}.\n` +
      'Install a newer Node.js, for example with your package manager, nvm or fnm.\n',
  );
  process.exitCode = 2;
}

// What only the detour needs is imported there: `node:fs` alone takes 4 ms.
if (isNewEnough(process.version)) await runHere();
else await rerunWithNewer();
