/** Apache Flink on hosts, started by its own scripts: `start-cluster.sh` logs in to each worker by SSH. */
import { copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { stringify, parse } from 'yaml';
import { flinkHome } from '../../test/rigs/flink/installation.ts';
import type { SshHost, SshHosts } from '../../test/rigs/ssh-hosts/hosts.ts';
import { timeUntil } from '../deploy/subject.ts';

const restPort = 8081;
const logDir = '/tmp/flink-log';

/** @returns milliseconds until all TaskManagers are registered; the distribution is on the hosts before. */
export async function measureFlink(set: SshHosts): Promise<number> {
  const home = join(set.sharedDir, 'flink');
  await prepare(set, home);
  const [master, ...others] = set.hosts;
  const workers = others.length === 0 ? 1 : others.length;
  const run = async (host: SshHost, command: string): Promise<void> => {
    const as = `su ${set.user} -s /bin/bash -c '${command}'`;
    const { code, stderr, stdout } = await set.exec(host, as);
    if (code !== 0) throw new Error(`${command} on ${host.name}: ${stdout} ${stderr}`);
  };
  // Its scripts do not make the folder.
  for (const host of set.hosts) await run(host, `mkdir -p ${logDir}`);
  const start = performance.now();
  const [ms] = await Promise.all([
    timeUntilRegistered(`http://${master!.address}:${restPort}`, workers, start),
    run(master!, `${home}/bin/start-cluster.sh`),
  ]);
  await run(master!, `${home}/bin/stop-cluster.sh`);
  return ms;
}

/** A copy with a configuration of its own, in the folder that all hosts see. */
async function prepare(set: SshHosts, home: string): Promise<void> {
  const [master, ...others] = set.hosts;
  await execa('cp', ['--archive', '--reflink=auto', flinkHome, home]);
  await cp(join(flinkHome, 'conf'), join(home, 'conf'), { recursive: true, force: true });
  const key = join(home, 'key');
  await copyFile(set.keyFile, key);
  const file = join(home, 'conf/config.yaml');
  const shipped = parse(await readFile(file, 'utf8')) as {
    readonly env: { readonly java: { readonly opts: { readonly all: string } } };
  };
  const settings = {
    'env.java.opts.all': shipped.env.java.opts.all,
    'env.log.dir': logDir,
    'env.pid.dir': '/tmp',
    'env.ssh.opts': `-i ${key} -o StrictHostKeyChecking=no`,
    'jobmanager.rpc.address': master!.address,
    'jobmanager.bind-host': '0.0.0.0',
    'jobmanager.memory.process.size': '1024m',
    'rest.address': master!.address,
    'rest.port': restPort,
    'rest.bind-address': '0.0.0.0',
    'taskmanager.bind-host': '0.0.0.0',
    'taskmanager.memory.process.size': '1024m',
  };
  await writeFile(file, stringify(settings, { lineWidth: 0 }));
  await writeFile(join(home, 'conf/masters'), `localhost:${restPort}\n`);
  const names = others.length === 0 ? ['localhost'] : others.map(({ name }) => name);
  await writeFile(join(home, 'conf/workers'), `${names.join('\n')}\n`);
  await mkdir(join(home, 'log'), { recursive: true });
  await execa('chmod', ['--recursive', 'a+rX', home]);
  const { uid } = await owner(set);
  await execa('chown', [`${uid}`, key]);
  await execa('chmod', ['600', key]);
}

async function owner(set: SshHosts): Promise<{ readonly uid: number }> {
  const { stdout } = await set.exec(set.hosts[0]!, `id -u ${set.user}`);
  return { uid: Number(stdout) };
}

async function timeUntilRegistered(url: string, count: number, start: number): Promise<number> {
  let registered = 0;
  const asking = setInterval(() => {
    fetch(`${url}/overview`, { signal: AbortSignal.timeout(2000) })
      .then(async (answer) => (await answer.json()) as { readonly taskmanagers: number })
      .then(
        ({ taskmanagers }) => (registered = taskmanagers),
        () => undefined,
      );
  }, 100);
  try {
    return await timeUntil(start, () => registered >= count);
  } finally {
    clearInterval(asking);
  }
}
