/**
 * Units of systemd: that systemd takes what is filled in, and what is asked of `systemctl`, by a stand-in
 * that starts what a unit says. No systemd runs here: how it restarts and limits is not shown.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { demo } from '../../demo.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillUnit, unitName } from '../../../src/providers/standalone/agent/units.ts';
import {
  actionOn,
  converge,
  convergeAll,
  idle,
  smallCluster,
} from '../../../src/providers/testing/small-cluster.ts';
import { eventually } from '../local/eventually.ts';
import { Place } from './place.ts';

const run = promisify(execFile);
const templateFile = resolve(import.meta.dirname, '../../../templates/systemd/process.service');
const never = new AbortController().signal;
const call = { signal: never };

const launch = (change: Partial<Parameters<typeof fillUnit>[1]> = {}) => ({
  folder: '/home/a b/clusters/demo/processes/taskmanager-0',
  name: 'taskmanager-0',
  clusterId: demo,
  command: ['/bin/sh', '/bin/true', 'a b', '%h', '$HOME', 'quote " and \\ ', 'line\nline'],
  cwd: '/',
  out: '/tmp/out 100%.log',
  environment: { PLAIN: 'x', ODD: 'a "b" \\ %i $HOME\nnext', GONE: undefined },
  resources: { cpu: 1.5, memoryBytes: 1 << 30 },
  graceMs: 10_000,
  ...change,
});

/** Words of a line as systemd.syntax(7) and systemd.service(5) read them. */
function words(line: string): string[] {
  const found = line.match(/"(?:[^"\\]|\\.)*"/g) ?? [];
  return found.map((quoted) =>
    quoted
      .slice(1, -1)
      .replace(/\\(.)/g, (_all, letter: string) =>
        letter === 'n' ? '\n' : letter === 'r' ? '\r' : letter === 't' ? '\t' : letter,
      )
      .replaceAll('%%', '%'),
  );
}
const linesOf = (unit: string, key: string) =>
  unit
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));

describe('a unit', () => {
  it('is one that systemd takes', async ({ skip }) => {
    const there = await run('systemd-analyze', ['--version']).catch(() => null);
    if (there === null) skip('systemd-analyze is not installed');
    const folder = await mkdtemp(join(tmpdir(), 'fctl-units-'));
    try {
      const template = await readFile(templateFile, 'utf8');
      const files: string[] = [];
      for (const scope of ['system', 'user'] as const) {
        const file = join(folder, `${scope}-${unitName(launch().folder)}`);
        await writeFile(file, fillUnit(template, launch(), scope));
        files.push(file);
      }
      const { stderr } = await run('systemd-analyze', ['verify', '--man=no', ...files]);
      expect(stderr.split('\n').filter((line) => line.includes(folder))).toEqual([]);
      await writeFile(files[0]!, 'No=thing\n[Service]\nExecStart=relative\n');
      await expect(run('systemd-analyze', ['verify', '--man=no', files[0]!])).rejects.toThrow();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('holds every word and variable as it was', async () => {
    const template = await readFile(templateFile, 'utf8');
    // Neither a word of a command nor a variable can hold NUL.
    const text = fc.string({ unit: 'grapheme' }).map((each) => each.replaceAll('\0', ''));
    fc.assert(
      fc.property(fc.array(text), text, (args, value) => {
        const filled = fillUnit(
          template,
          launch({ command: ['/bin/sh', ...args], environment: { VALUE: value } }),
          'system',
        );
        const [command] = linesOf(filled, 'ExecStart');
        const found = words(command!).map((each) => each.replaceAll('$$', '$'));
        expect(found.slice(4)).toEqual(['/bin/sh', ...args]);
        expect(words(linesOf(filled, 'Environment')[0]!)).toEqual([`VALUE=${value}`]);
      }),
    );
    const filled = fillUnit(template, launch(), 'user');
    expect(linesOf(filled, 'CPUQuota')).toEqual(['150%']);
    expect(Number(linesOf(filled, 'MemoryMax')[0])).toBeGreaterThan(1 << 30);
    expect(linesOf(filled, 'Restart')).toEqual(['on-abnormal']);
    expect(linesOf(filled, 'Environment')).toHaveLength(2);
  });
});

/** Starts and ends what a unit of the user says, and notes how it was called. */
const systemctl = `
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
const { HOME } = process.env;
const args = process.argv.slice(2);
appendFileSync(HOME + '/calls', args.join(' ') + '\\n');
const [, , verb, now, name] = args;
const words = ${words.toString()};
if (verb === 'enable') {
  const unit = readFileSync(HOME + '/.config/systemd/user/' + name, 'utf8').split('\\n');
  const lines = (key) => unit.filter((line) => line.startsWith(key + '=')).map((line) => line.slice(key.length + 1));
  const [file, ...rest] = words(lines('ExecStart')[0]).map((each) => each.replaceAll('$$', '$'));
  const env = Object.fromEntries(lines('Environment').map((line) => {
    const [text] = words(line);
    return [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)];
  }));
  const child = spawn(file, rest, { detached: true, stdio: 'ignore', env, cwd: lines('WorkingDirectory')[0] });
  writeFileSync(HOME + '/' + name + '.pid', String(child.pid));
  child.unref();
}
if (verb === 'disable') {
  const pid = Number(readFileSync(HOME + '/' + name + '.pid', 'utf8'));
  try { process.kill(pid, 'SIGTERM'); for (;;) { process.kill(pid, 0); await new Promise((done) => setTimeout(done, 10)); } } catch {}
}
`;

describe('a host with units', () => {
  it('runs supervisors as units, and leaves none behind', async () => {
    const place = await Place.start({
      config: (given) => ({ ...given, supervisor: 'systemd-user' }),
    });
    const [host] = place.hosts;
    try {
      const standIns = join(host!.home, 'bin');
      await mkdir(standIns);
      await writeFile(join(standIns, 'systemctl.mjs'), systemctl);
      const script = `#!/bin/sh\nexec ${process.execPath} ${standIns}/systemctl.mjs "$@"\n`;
      await writeFile(join(standIns, 'systemctl'), script, { mode: 0o755 });
      const provider = await place.open();
      const spec = smallCluster({
        clusterId: demo,
        script: `console.log('up'); ${idle}`,
        clientDir: '/',
      });
      expect((await provider.preflight(spec, call)).map(({ code }) => code)).toEqual([
        'no-systemd',
      ]);
      await provider.install(spec.runtime, { signal: never, onProgress: () => {} });
      await provider.record(demo).write('lock', { epoch: 1 }, null);
      host!.path = standIns;
      // The agent that runs was started without the stand-ins.
      await provider.close();
      const other = await place.open();
      const options = { fence: 1, signal: never };
      await convergeAll(other, spec, options);
      const units = join(host!.home, '.config/systemd/user');
      const [unit, ...more] = (await readdir(units)).filter((name) => name.endsWith('.service'));
      expect(more).toEqual([]);
      expect((await other.observe(demo, call))!.processes).toMatchObject([{ status: 'running' }]);
      await eventually(async () => {
        const log = join(place.dirOn(host!), 'clusters/demo/logs/jobmanager-0.out');
        return (await readFile(log, 'utf8').catch(() => '')).includes('up');
      });
      // Another client that wants a script finds the unit and ends it.
      const plain = await place.open({ supervisor: 'script' });
      await converge(plain, spec, [actionOn(spec, 'jobmanager-0', 'replace')], options);
      expect(await readdir(units)).toEqual([]);
      expect((await plain.observe(demo, call))!.processes).toMatchObject([{ status: 'running' }]);
      expect((await readFile(join(host!.home, 'calls'), 'utf8')).trim().split('\n')).toEqual([
        '--user --quiet daemon-reload',
        `--user --quiet enable --now ${unit}`,
        `--user --quiet disable --now ${unit}`,
        '--user --quiet daemon-reload',
      ]);
      await plain.destroy(demo, { fence: 1, deleteState: false, signal: never });
      await Promise.all([other.close(), plain.close()]);
    } finally {
      await place.close();
    }
  });
});
