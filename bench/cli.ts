/** How instant the CLI feels: whole processes in turn with `node -e 0`, as ratios of medians. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const runs = 15;
const fctl = join(import.meta.dirname, '../bin/fctl.js');
const home = mkdtempSync(join(tmpdir(), 'fctl-bench-'));

function time(args: readonly string[]): number {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, args, {
    cwd: home,
    env: { ...process.env, FCTL_HOME: home },
  });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`);
  return performance.now() - start;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const commands = {
  'node -e 0': ['-e', '0'],
  'fctl --help': [fctl, '--help'],
  'fctl list': [fctl, 'list'],
};
const times = Object.fromEntries(Object.keys(commands).map((name) => [name, [] as number[]]));
try {
  for (const args of Object.values(commands)) time(args); // fills V8's compile cache
  for (let run = 0; run < runs; run++) {
    for (const [name, args] of Object.entries(commands)) times[name]!.push(time(args));
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
const base = median(times['node -e 0']!);
for (const [name, values] of Object.entries(times)) {
  console.log(`${name.padEnd(12)} ${(median(values) / base).toFixed(2)} x node -e 0`);
}
