/** The Docker provider passes the provider contract on a real engine. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ProviderUnderTest, describeProvider } from 'fctl/provider-testing';
import { converse } from '../../providers/docker/conversation.ts';
import { engineAnswers } from '../../providers/docker/engine-answers.ts';
import { DockerEngine, dockerRig } from '../../rigs/docker/engine.ts';
import { describeWith } from '../../rigs/rig.ts';
import { openProvider } from './engine-provider.ts';

let engine: DockerEngine;
let cacheDir: string;

async function docker(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await engine.docker(...args);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

async function createDocker(): Promise<ProviderUnderTest> {
  const open = () => openProvider(engine, { cacheDir });
  const containerOf = (id: string, process: string) => `fctl-${id}-${process}`;
  return {
    open,
    corrupt: async (id, hash) => {
      const script = `echo corrupt > /fctl/artifacts/${hash}`;
      await docker('exec', containerOf(id, 'jobmanager-0'), 'sh', '-c', script);
    },
    crash: async (id, name) => {
      const pid = await docker('inspect', '-f', '{{.State.Pid}}', containerOf(id, name));
      process.kill(Number(pid), 'SIGKILL');
    },
    foreigner: async (id) => {
      const label = ['--label', `fctl.dev/cluster=${id}`, '--label', 'fctl.dev/role=taskmanager'];
      const program = [engine.baseImage, 'node', '-e', 'setInterval(() => {}, 1000)'];
      await docker('run', '--detach', '--init', '--name', `fctl-${id}-mine`, ...label, ...program);
      await docker('volume', 'create', ...label, `fctl-mine-${id}`);
      return {
        isUntouched: async () => {
          await docker('volume', 'inspect', `fctl-mine-${id}`);
          return (
            (await docker('inspect', '-f', '{{.State.Running}}', `fctl-${id}-mine`)) === 'true'
          );
        },
        remove: async () => {
          await docker('rm', '--force', `fctl-${id}-mine`);
          await docker('volume', 'rm', `fctl-mine-${id}`);
        },
      };
    },
    close: async () => {},
  };
}

describeWith([dockerRig], 'the Docker provider', () => {
  beforeAll(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'fctl-docker-'));
    engine = await DockerEngine.share();
  });
  afterAll(async () => {
    await engine?.stop();
    await rm(cacheDir, { recursive: true, force: true });
  });

  it('answers as the fake engine of the unit tests does', async () => {
    const { baseImage, socketPath } = engine;
    const talk = { socketPath, image: baseImage, folder: '/srv' };
    expect(await converse(talk)).toEqual(engineAnswers);
  });

  describeProvider('docker', createDocker, { hookTimeoutMs: 120_000, concurrent: true });
});
