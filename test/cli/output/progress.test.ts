/** Progress where no terminal is: lines, and not too many. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Progress, createProgress } from '../../../src/cli/output/progress.ts';
import { showDeployEvent } from '../../../src/cli/verbs/deploy-events.ts';

let progress: Progress;
let lines: string[];
beforeEach(async () => {
  lines = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(String(text).trimEnd());
    return true;
  });
  progress = await createProgress({ json: false, quiet: false });
});
afterEach(() => vi.restoreAllMocks());

const send = (where: string, sentBytes: number, byOther = false) => {
  const transfer = { what: 'runtime', where, sentBytes, totalBytes: 1000, byOther };
  showDeployEvent(progress, { type: 'sending', progress: transfer });
};

it('tells of a transfer its start, each quarter and its end, for each host', () => {
  for (let sent = 10; sent <= 1000; sent += 10) {
    send('h1', sent);
    send('h2', sent);
  }
  send('h1', 1000);
  const of = (host: string) => lines.filter((line) => line.includes(host));
  expect(of('h1')).toEqual(
    [1, 25, 50, 75, 100].map((share) => `Sending runtime to h1: ${share} % of 1000 B`),
  );
  expect(of('h2')).toHaveLength(5);
});

it('tells of somebody else who sends, and of who goes on', () => {
  send('h1', 100, true);
  send('h1', 200, true);
  send('h1', 300);
  expect(lines).toEqual([
    'Waiting for another client that sends runtime to h1: 10 % of 1000 B',
    'Sending runtime to h1: 30 % of 1000 B',
  ]);
});
