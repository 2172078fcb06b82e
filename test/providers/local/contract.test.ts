/** The local provider passes the provider contract. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createLocalProvider } from '../../../src/providers/local/index.ts';
import { identifyProcess } from '../../../src/providers/local/process-table.ts';
import { type ProviderUnderTest, describeProvider } from 'fctl/provider-testing';

const supervisor = resolve(import.meta.dirname, '../../../templates/supervise.sh');

async function createLocal(): Promise<ProviderUnderTest> {
  const home = await mkdtemp(join(tmpdir(), 'fctl-local-'));
  const open = () =>
    createLocalProvider({
      home,
      runtimeDir: home,
      supervisor,
      node: process.execPath,
      environment: process.env,
    });
  return {
    open: async () => open(),
    corrupt: (id, hash) => writeFile(join(home, 'clusters', id, 'artifacts', hash), 'corrupt'),
    crash: async (id, name) => {
      const file = join(home, 'clusters', id, 'processes', name, 'process.json');
      const { pid } = JSON.parse(await readFile(file, 'utf8')) as { pid: number };
      process.kill(pid, 'SIGKILL');
    },
    foreigner: async (id) => {
      const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
        stdio: 'ignore',
        env: {
          ...process.env,
          FCTL_CLUSTER_ID: id,
          FCTL_PROCESS_DIR: join(tmpdir(), 'no-such'),
        },
      });
      await once(stranger, 'spawn');
      return {
        isUntouched: async () => (await identifyProcess(stranger.pid!)) !== null,
        remove: async () => {
          stranger.kill('SIGKILL');
          await once(stranger, 'exit');
        },
      };
    },
    close: () => rm(home, { recursive: true, force: true }),
  };
}

describeProvider('local', createLocal, { concurrent: true });
