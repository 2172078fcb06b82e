/** The Docker provider passes the provider contract, on an engine that runs containers as processes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProviderUnderTest, describeProvider } from 'fctl/provider-testing';
import { FakeEngine } from './fake-engine.ts';
import { freePort, openFake } from './fake-provider.ts';

async function createFake(): Promise<ProviderUnderTest> {
  const engine = await FakeEngine.start();
  engine.images.set('base:1', {});
  const port = await freePort();
  const open = () => openFake(engine, port);
  return {
    open,
    corrupt: (id, hash) =>
      writeFile(join(engine.pathOf(`fctl-${id}`), 'artifacts', hash), 'corrupt'),
    crash: async (id, name) => {
      process.kill(engine.byName(`fctl-${id}-${name}`)!.pid, 'SIGKILL');
    },
    foreigner: async (id) => {
      const Labels = { 'fctl.dev/cluster': id, 'fctl.dev/role': 'taskmanager' };
      engine.volumes.set(`fctl-mine-${id}`, { Name: `fctl-mine-${id}`, Labels });
      return {
        isUntouched: async () => engine.volumes.has(`fctl-mine-${id}`),
        remove: async () => void engine.volumes.delete(`fctl-mine-${id}`),
      };
    },
    close: () => engine.close(),
  };
}

describeProvider('docker', createFake);
