/** The fake engine answers as a real one did; test/integration/docker holds a real one to the same answers. */
import { expect, it } from 'vitest';
import { converse } from './conversation.ts';
import { engineAnswers } from './engine-answers.ts';
import { FakeEngine } from './fake-engine.ts';

it('answers as a real engine does', async () => {
  const engine = await FakeEngine.start();
  try {
    engine.images.set('base:1', {});
    const { socketPath } = engine;
    const talk = { socketPath, image: 'base:1', folder: engine.pathOf('talk') };
    expect(await converse(talk)).toEqual(engineAnswers);
  } finally {
    await engine.close();
  }
});
