/** A project whose application never ends, and the built CLI that deploys it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const launcher = join(import.meta.dirname, '../../bin/fctl.js');

const endless = `
import { DiscardSink, GeneratorSource, defineJob } from 'fctl';
defineJob('endless', (env) => {
  env
    .fromSource(GeneratorSource.of({ count: 1e9, create: (index) => index, ratePerSecond: 1 }))
    .sinkTo(DiscardSink.create());
});`;

export interface Deployments {
  /** From a place that has nothing of ours until the job is RUNNING, in milliseconds. */
  readonly firstMs: number;
  /** The same again, while it runs. */
  readonly unchangedMs: number;
  /** After it was destroyed: the runtime is there. */
  readonly againMs: number;
}

/** @param config what the config says beside cluster and application. */
export async function measureDeployments(config: object): Promise<Deployments> {
  const folder = mkdtempSync(join(tmpdir(), 'fctl-bench-'));
  writeFileSync(join(folder, 'app.ts'), endless);
  const application = { entry: './app.ts' };
  const file = JSON.stringify({ cluster: 'bench', application, ...config });
  writeFileSync(join(folder, 'fctl.config.json'), file);
  try {
    const firstMs = await fctl(folder, 'deploy', '--detach');
    const unchangedMs = await fctl(folder, 'deploy', '--detach');
    await fctl(folder, 'destroy', '--yes');
    const againMs = await fctl(folder, 'deploy', '--detach');
    await fctl(folder, 'destroy', '--yes');
    return { firstMs, unchangedMs, againMs };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns how long it took, in milliseconds. */
async function fctl(folder: string, ...args: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, [launcher, ...args, '--quiet', '--timeout', '10m'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`fctl ${args.join(' ')} ended with ${code}`);
  return performance.now() - start;
}
