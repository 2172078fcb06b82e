/** `fctl deploy` in application mode, and an empty session, on local processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Subject, memoryOf, settle, timeUntil } from './subject.ts';

const launcher = join(import.meta.dirname, '../../bin/fctl.js');

const tiny = `
import { GeneratorSource, PrintSink, defineJob } from 'fctl';
defineJob('tiny', (env) => {
  env
    .fromSource(GeneratorSource.of({ count: 100, create: (index) => index }))
    .keyBy((number) => number % 10)
    .reduce((_, number) => number)
    .map((number, context) => (context.counter('records').add(), number))
    .sinkTo(PrintSink.create());
});`;

/** A process and the shell that starts it again. */
interface Supervised {
  readonly pid: number;
  readonly supervisor: { readonly pid: number };
}

/** @param home an empty folder, for the project and its clusters. */
export function fctlSubject(home: string): Subject {
  const cluster = join(home, 'clusters/tiny');
  writeFileSync(join(home, 'app.ts'), tiny);
  writeFileSync(
    join(home, 'fctl.config.json'),
    JSON.stringify({ cluster: 'tiny', application: { entry: './app.ts' } }),
  );
  const fctl = async (...args: string[]) => {
    const child = spawn(process.execPath, [launcher, ...args], {
      cwd: home,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, FCTL_HOME: home },
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`fctl ${args.join(' ')} ended with ${code}`);
  };
  return {
    name: 'fctl',
    async runTinyJob() {
      const start = performance.now();
      const output = join(cluster, 'logs/taskmanager-0.out');
      const [finishedMs, firstMs] = await Promise.all([
        fctl('deploy', '--quiet').then(() => performance.now() - start),
        timeUntil(start, () => read(output) !== ''),
      ]);
      await fctl('destroy', '--yes', '--quiet');
      return { firstMs, finishedMs };
    },
    async idle() {
      const start = performance.now();
      await fctl('session', 'start', '--quiet');
      const startMs = performance.now() - start;
      await settle();
      const memory = new Map(
        readdirSync(join(cluster, 'processes')).map((name) => {
          const file = read(join(cluster, 'processes', name, 'process.json'));
          const { pid, supervisor } = JSON.parse(file) as Supervised;
          return [name, memoryOf(pid) + memoryOf(supervisor.pid)];
        }),
      );
      await fctl('destroy', '--yes', '--quiet');
      return {
        startMs,
        jobManagerMiB: memory.get('jobmanager-0')!,
        taskManagerMiB: memory.get('taskmanager-0')!,
      };
    },
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
