/** The standalone provider passes the provider contract on hosts of the rig, with the real runtime. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, vi } from 'vitest';
import type { ResolvedStandalone } from '../../../src/config/providers/standalone.ts';
import { runtimeFor } from '../../../src/packaging/runtime.ts';
import type { Provider } from '../../../src/providers/provider.ts';
import {
  createStandaloneProvider,
  resolveStandaloneOptions,
} from '../../../src/providers/standalone/index.ts';
import { type ProviderUnderTest, describeProvider } from 'fctl/provider-testing';
import { describeWith } from '../../rigs/rig.ts';
import { SshHosts, sshRig } from '../../rigs/ssh-hosts/hosts.ts';

const root = resolve(import.meta.dirname, '../../..');
const runtimeDir = join(root, 'dist');
const marksOf = (id: string) => `FCTL_CLUSTER_ID=${id} FCTL_PROCESS_DIR=/no/such/folder`;

// The first one sends 50 MB to each host.
vi.setConfig({ testTimeout: 600_000 });

describeWith([sshRig], 'the provider contract on hosts', () => {
  let set: SshHosts;
  beforeAll(async () => {
    set = await SshHosts.share();
  });
  afterAll(() => set?.stop());

  function config(): ResolvedStandalone {
    const login = { user: set.user, port: null, identityFile: set.keyFile, jump: null };
    return {
      hosts: set.hosts.map(({ address }) => ({ address, role: 'both', advertise: null, ...login })),
      login,
      passphrase: null,
      password: null,
      agent: false,
      sshConfig: false,
      knownHosts: set.knownHostsFile,
      hostKeys: 'strict',
      dir: '~/.local/share/fctl',
      supervisor: 'script',
      rest: 'auto',
      connectTimeoutMs: 20_000,
      keepAliveMs: 5000,
      parallel: 16,
    };
  }

  async function open(): Promise<Provider> {
    const environment = process.env;
    const options = await resolveStandaloneOptions(config(), {
      runtimeDir,
      environment,
      askSecret: () => Promise.reject(new Error('nobody is asked')),
      runtimeArchive: (arch, signal) =>
        runtimeFor(
          { platform: 'linux', arch },
          {
            node: null,
            runtimeDir,
            templatesDir: join(root, 'templates'),
            cacheDir: join(homedir(), '.cache/fctl'),
            environment,
            signal,
            onProgress: () => {},
          },
        ),
    });
    return createStandaloneProvider(options);
  }

  const clusterFolder = (id: string) => `/home/${set.user}/.local/share/fctl/clusters/${id}`;
  /** On all hosts, as root. */
  async function everywhere(command: string): Promise<void> {
    for (const host of set.hosts) await set.exec(host, command);
  }

  async function create(): Promise<ProviderUnderTest> {
    return {
      open,
      corrupt: (id, hash) => {
        const file = `${clusterFolder(id)}/artifacts/${hash}`;
        return everywhere(`[ -f ${file} ] && echo corrupt >${file}`);
      },
      crash: (id, name) => {
        const file = `${clusterFolder(id)}/processes/${name}/process.json`;
        const pid = `sed -n 's/.*"state":"[a-z]*","pid":\\([0-9]*\\).*/\\1/p' ${file}`;
        return everywhere(`[ -f ${file} ] && kill -9 $(${pid})`);
      },
      foreigner: async (id) => {
        const [host] = set.hosts;
        const start = `${marksOf(id)} setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $!`;
        const { stdout } = await set.exec(host!, `su ${set.user} -s /bin/sh -c '${start}'`);
        const pid = stdout.trim();
        return {
          isUntouched: async () =>
            (await set.exec(host!, `tr '\\0' ' ' </proc/${pid}/cmdline`)).stdout.trim() ===
            'sleep 600',
          remove: async () => void (await set.exec(host!, `kill -9 ${pid}`)),
        };
      },
      close: async () => {},
    };
  }

  describeProvider('three hosts', create, { hookTimeoutMs: 300_000, concurrent: true });
});
