/** The standalone provider passes the provider contract, with three hosts on this machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { identifyProcess } from '../../../src/providers/local/process-table.ts';
import { exists } from '../../../src/providers/local/layout.ts';
import { type ProviderUnderTest, describeProvider } from 'fctl/provider-testing';
import { Place } from './place.ts';

let place: Place;
beforeAll(async () => {
  place = await Place.start({ hosts: [{}, {}, {}] });
});
afterAll(() => place.close());

async function createStandalone(): Promise<ProviderUnderTest> {
  /** The folders of a cluster on all hosts. */
  const folders = (id: string) =>
    place.hosts.map((host) => join(place.dirOn(host), 'clusters', id));
  return {
    open: () => place.open(),
    corrupt: async (id, hash) => {
      for (const folder of folders(id)) {
        const file = join(folder, 'artifacts', hash);
        if (await exists(file)) await writeFile(file, 'corrupt');
      }
    },
    crash: async (id, name) => {
      for (const folder of folders(id)) {
        const file = join(folder, 'processes', name, 'process.json');
        if (!(await exists(file))) continue;
        const { pid } = JSON.parse(await readFile(file, 'utf8')) as { pid: number };
        process.kill(pid, 'SIGKILL');
      }
    },
    foreigner: async (id) => {
      const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
        stdio: 'ignore',
        env: { ...process.env, FCTL_CLUSTER_ID: id, FCTL_PROCESS_DIR: '/no/such/folder' },
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
    close: async () => {},
  };
}

describeProvider('standalone, three hosts', createStandalone, { concurrent: true });
