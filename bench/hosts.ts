/**
 * From a config file to a job that runs, on hosts that are reached by SSH and on a Docker engine: the first
 * time, when nothing has changed, and when only the runtime is there; beside Apache Flink's own scripts on
 * the same hosts, which have its distribution already. Flink's divided by ours.
 *
 *     npm run bench:hosts                  1, 3 and 10 hosts, and Docker
 *     npm run bench:hosts -- 3 docker      what is named
 */
import { dockerRig, DockerEngine } from '../test/rigs/docker/engine.ts';
import { flinkRig } from '../test/rigs/flink/installation.ts';
import { SshHosts, sshRig } from '../test/rigs/ssh-hosts/hosts.ts';
import { measureFlink } from './hosts/flink.ts';
import { type Deployments, measureDeployments } from './hosts/project.ts';

const small = { resources: { memory: '256MiB' } };

const columns = ['first', 'unchanged', 'runtime there', 'Flink', '/ first', '/ runtime there'];
console.log(' '.repeat(12) + columns.map((name) => name.padStart(16)).join(''));

function print(name: string, ours: Deployments, flinkMs: number | null): void {
  const seconds = (ms: number | null) => (ms === null ? '' : `${(ms / 1000).toFixed(2)} s`);
  const ratio = (ms: number) => (flinkMs === null ? '' : (flinkMs / ms).toFixed(1));
  const { againMs, firstMs, unchangedMs } = ours;
  const cells = [
    seconds(firstMs),
    seconds(unchangedMs),
    seconds(againMs),
    seconds(flinkMs),
    ratio(firstMs),
    ratio(againMs),
  ];
  console.log(name.padEnd(12) + cells.map((text) => text.padStart(16)).join(''));
}

async function onHosts(count: number): Promise<void> {
  const set = await SshHosts.start({ count });
  try {
    const hosts = set.hosts.map(({ address }, index) => ({
      address,
      role: count === 1 ? 'both' : index === 0 ? 'jobmanager' : 'taskmanager',
    }));
    const ours = await measureDeployments({
      provider: 'standalone',
      jobmanager: small,
      taskmanager: { replicas: Math.max(1, count - 1), ...small },
      providers: {
        standalone: {
          hosts,
          user: set.user,
          identityFile: set.keyFile,
          knownHosts: set.knownHostsFile,
          agent: false,
          sshConfig: false,
        },
      },
    });
    const flinkMs = flinkRig.isInstalled() ? await measureFlink(set) : null;
    print(count === 1 ? '1 host' : `${count} hosts`, ours, flinkMs);
  } finally {
    await set.stop();
  }
}

async function onDocker(): Promise<void> {
  const engine = await DockerEngine.start();
  try {
    const { baseImage, host } = engine;
    const ours = await measureDeployments({
      provider: 'docker',
      jobmanager: small,
      taskmanager: { replicas: 2, ...small },
      providers: { docker: { host, baseImage, pull: 'never' } },
    });
    print('Docker', ours, null);
  } finally {
    await engine.stop();
  }
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['1', '3', '10', 'docker'];
const counts = wanted.filter((name) => name !== 'docker').map(Number);
if (sshRig.isInstalled()) for (const count of counts) await onHosts(count);
else console.log(`On hosts: run ${sshRig.install} first.`);
if (wanted.includes('docker') && dockerRig.isInstalled()) await onDocker();
for (const rig of [dockerRig, flinkRig])
  if (!rig.isInstalled()) console.log(`With ${rig.name}: run ${rig.install} first.`);
