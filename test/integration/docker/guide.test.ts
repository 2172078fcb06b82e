/** The guide to Docker, on an engine of the rig. */
import { expect, it, onTestFinished, vi } from 'vitest';
import { Reader, guideSteps } from '../../docs/guide.ts';
import { DockerEngine, dockerRig } from '../../rigs/docker/engine.ts';
import { describeWith } from '../../rigs/rig.ts';

// A first deployment builds the image.
vi.setConfig({ testTimeout: 900_000 });

describeWith([dockerRig], 'the guide to Docker', () => {
  it('works as it is written', async () => {
    const engine = await DockerEngine.start();
    onTestFinished(() => engine.stop());
    const reader = await Reader.create({ DOCKER_HOST: engine.host }, [
      ['  docker:\n', `  docker:\n    baseImage: ${engine.baseImage}\n    pull: never\n`],
    ]);
    onTestFinished(() => reader.leave());
    await expect(reader.follow(guideSteps('docker'))).resolves.toBeUndefined();
  });
});
