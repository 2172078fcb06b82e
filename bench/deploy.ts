/**
 * A tiny job from nothing: `fctl deploy` until its first result, until it has finished and the command
 * has returned; idle memory of JobManager and TaskManager. Medians; seconds and MiB of this machine now,
 * to be compared only with what ran beside it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const runs = 5;
const root = join(import.meta.dirname, '..');
const home = mkdtempSync(join(tmpdir(), 'fctl-bench-'));
const cluster = join(home, 'clusters/tiny');

const tiny = `
import { GeneratorSource, PrintSink, defineJob } from 'fctl';
defineJob('tiny', (env) => {
  env.fromSource(GeneratorSource.of({ count: 100, create: (i) => 'result ' + i })).sinkTo(PrintSink.create());
});`;
const idle = `export const main = () => new Promise((resolve) => setTimeout(resolve, 60_000));`;

function project(app: string): void {
  writeFileSync(join(home, 'app.ts'), app);
  writeFileSync(
    join(home, 'fctl.config.json'),
    JSON.stringify({ cluster: 'tiny', application: { entry: './app.ts' } }),
  );
}

function fctl(...args: string[]) {
  const child = spawn(process.execPath, [join(root, 'bin/fctl.js'), ...args], {
    cwd: home,
    stdio: 'ignore',
    env: { ...process.env, FCTL_HOME: home },
  });
  return once(child, 'exit') as Promise<[number | null]>;
}

const read = (file: string) => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

async function deployTiny(): Promise<{ first: number; finished: number }> {
  const start = performance.now();
  let ended = false;
  const exit = fctl('deploy').then(([code]) => {
    ended = true;
    if (code !== 0) throw new Error(`deploy ended with ${code}`);
  });
  let first = Number.NaN;
  while (!ended && Number.isNaN(first)) {
    if (read(join(cluster, 'logs/taskmanager-0.out')).includes('result'))
      first = performance.now() - start;
    await delay(5);
  }
  await exit;
  const finished = performance.now() - start;
  await fctl('destroy', '--yes');
  return { first, finished };
}

/** MiB of resident memory by process name, once the cluster is up and has nothing to do. */
async function idleMemory(): Promise<Record<string, number>> {
  await fctl('deploy', '--detach');
  await delay(3000);
  const memory: Record<string, number> = {};
  for (const name of readdirSync(join(cluster, 'processes'))) {
    const { pid } = JSON.parse(read(join(cluster, 'processes', name, 'process.json'))) as {
      pid: number;
    };
    memory[name] = Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
  }
  await fctl('destroy', '--yes');
  return memory;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

try {
  project(tiny);
  await deployTiny(); // fills V8's compile cache
  const times = [];
  for (let run = 0; run < runs; run++) times.push(await deployTiny());
  console.log(`deploy to first result  ${(median(times.map((t) => t.first)) / 1000).toFixed(2)} s`);
  console.log(
    `deploy to finished      ${(median(times.map((t) => t.finished)) / 1000).toFixed(2)} s`,
  );
  project(idle);
  const memory = await idleMemory();
  for (const [name, mib] of Object.entries(memory))
    console.log(`idle ${name.padEnd(18)} ${mib.toFixed(0)} MiB`);
} finally {
  rmSync(home, { recursive: true, force: true });
}
