import { describe, expect, it } from 'vitest';
import { describeFailure, shortenStack } from '../../src/application/failure-info.ts';

const origin = {
  task: 'Source: a -> Map -> Sink: b (1/2)',
  operator: 'Map',
  location: 'taskmanager-0',
  bundleFolder: '/srv/blobs',
};

describe('shortenStack', () => {
  it("names the user's files from the project and leaves out the runtime below them", () => {
    const stack = [
      'TypeError: no',
      '    at ByteWriter.string (/opt/fctl/dist/chunks/bytes.js:1:1)',
      '    at MapOperator.parse (/srv/blobs/src/app.ts:12:5)',
      '    at MapOperator.fn (file:///srv/blobs/src/app.ts:20:3)',
      '    at MapOperator.record (/opt/fctl/dist/slot.js:3:1)',
      '    at process.processImmediate (node:internal/timers:1:1)',
    ].join('\n');
    expect(shortenStack(stack, '/srv/blobs').split('\n')).toEqual([
      'TypeError: no',
      '    at ByteWriter.string (/opt/fctl/dist/chunks/bytes.js:1:1)',
      '    at parse (src/app.ts:12:5)',
      '    at src/app.ts:20:3',
    ]);
  });

  it('keeps a stack without frames of the user', () => {
    const stack = 'Error: no\n    at run (/opt/fctl/dist/slot.js:3:1)';
    expect(shortenStack(stack, '/srv/blobs')).toBe(stack);
  });
});

describe('describeFailure', () => {
  it('names operator, task and place', () => {
    const { message, task, location } = describeFailure(new TypeError('no'), origin);
    expect({ message, task, location }).toEqual({
      message: "TypeError: no (in 'Map')",
      task: origin.task,
      location: 'taskmanager-0',
    });
  });

  it.each([
    ['text', 'threw text'],
    [{ a: 1 }, 'threw {"a":1}'],
    [undefined, 'threw undefined'],
    [1n, 'threw 1'],
  ])('says what was thrown when it is no error: %s', (thrown, message) => {
    const info = describeFailure(thrown, { ...origin, operator: null });
    expect(info).toEqual({ message, stack: null, task: origin.task, location: 'taskmanager-0' });
  });

  it('adds the causes', () => {
    const error = new Error('outer', { cause: new RangeError('inner') });
    expect(describeFailure(error, origin).stack).toMatch(
      /Error: outer[\s\S]*Caused by: RangeError: inner/,
    );
  });
});
