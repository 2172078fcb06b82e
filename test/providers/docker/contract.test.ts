/** The Docker provider passes the provider contract, on an engine that runs containers as processes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProviderUnderTest, describeProvider } from '../contract.ts';
import { FakeEngine } from './fake-engine.ts';
import { freePort, openFake } from './fake-provider.ts';

async function createFake(): Promise<ProviderUnderTest> {
  const engine = await FakeEngine.start();
  engine.images.set('base:1', {});
  const port = await freePort();
  const open = () => openFake(engine, port);
  return {
    provider: await open(),
    another: open,
    corrupt: (id, hash) =>
      writeFile(join(engine.pathOf(`fctl-${id}`), 'artifacts', hash), 'corrupt'),
    crash: async (id, name) => {
      process.kill(engine.byName(`fctl-${id}-${name}`)!.pid, 'SIGKILL');
    },
    foreigner: async () => {
      const Labels = { 'fctl.dev/cluster': 'demo', 'fctl.dev/role': 'taskmanager' };
      engine.volumes.set('fctl-mine', { Name: 'fctl-mine', Labels });
      return {
        isUntouched: async () => engine.volumes.has('fctl-mine'),
        remove: async () => void engine.volumes.delete('fctl-mine'),
      };
    },
    close: () => engine.close(),
  };
}

describeProvider('docker', createFake);
