/** The provider in memory passes the provider contract, as far as processes in memory can. */
import {
  FakePlatform,
  type MemoryProcess,
  type ProviderUnderTest,
  describeProvider,
  openFake,
} from 'fctl/provider-testing';
import { parseClusterId } from '../../../src/contract/cluster-id.ts';

const programs = {
  idle: 'idle',
  up: 'up',
  run: 'run',
  deaf: 'deaf',
  done: 'done',
  talk: 'talk',
} as const;

async function createFake(): Promise<ProviderUnderTest> {
  const platform: FakePlatform = new FakePlatform({
    onStart: (process: MemoryProcess) => {
      const { clusterId, name, spec } = process.start;
      const program = spec.command.at(-1);
      if (program === 'talk') ['one', 'two'].forEach((line) => process.print(line));
      else if (program !== 'idle') process.print(program!);
      if (program === 'done') platform.exit(clusterId, name, 0);
    },
  });
  return {
    open: async () => openFake(platform),
    corrupt: async (id, hash) =>
      void platform.cluster(id).artifacts.set(hash, Buffer.from('corrupt')),
    crash: async (id, name) => {
      platform.crash(id, name, 137);
      platform.restart(id, name);
    },
    foreigner: async (id) => {
      const foreign = platform.cluster(parseClusterId(`${id}-mine`));
      foreign.artifacts.set('mine', Buffer.from('mine'));
      return {
        isUntouched: async () =>
          platform.cluster(parseClusterId(`${id}-mine`)).artifacts.has('mine'),
        remove: async () => platform.forget(parseClusterId(`${id}-mine`)),
      };
    },
    tell: async (id, what) =>
      platform.process(id, 'jobmanager-0').print(what === 'told' ? 'ready' : 'three'),
    close: async () => {},
  };
}

describeProvider('fake', createFake, { programs, concurrent: true });
