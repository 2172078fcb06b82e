/** Which lines of a process's logs are shown as the reason of a failure. */
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { demo } from '../../demo.ts';
import { tailLogs } from '../../../src/deployment/operation/log-tail.ts';
import type { ObservedProcess, Provider } from '../../../src/providers/provider.ts';

const startedAt = Date.parse('2026-01-02T00:00:00.000Z');
const process = { name: 'taskmanager-0', startedAt } as ObservedProcess;

const line = (time: string, level: string, message: string) =>
  JSON.stringify({ time, level, resource: 'taskmanager-0', message });

/** What is shown of a process that wrote this. */
async function shown(log: readonly string[], out: readonly string[]): Promise<string | null> {
  const logs: Provider['logs'] = async (_cluster, _process, { stream }) =>
    Readable.from([(stream === 'log' ? log : out).map((text) => `${text}\n`).join('')]);
  const [found] = await tailLogs({ logs } as Provider, demo, [process]);
  return found?.message ?? null;
}

describe('the lines that explain a failure', () => {
  it('are of the run that failed', async () => {
    const text = await shown(
      [
        line('2026-01-01T23:59:59.999Z', 'error', 'slot lost: YESTERDAY'),
        line('2026-01-02T00:00:01.000Z', 'info', 'registered'),
        line('2026-01-02T00:00:02.000Z', 'warn', 'the connection is lost'),
      ],
      [],
    );
    expect(text).toBe('last lines of taskmanager-0:\n  the connection is lost');
  });

  it('are none where the run that failed wrote none', async () => {
    expect(await shown([line('2026-01-01T00:00:00.000Z', 'error', 'long ago')], [])).toBe(null);
  });

  it('begin with the error of a stack that is longer than what is shown', async () => {
    const stack = Array.from({ length: 15 }, (_, i) => `    at Module._load (loader:${i})`);
    const text = await shown(
      [],
      [
        'node:internal/modules/cjs/loader:1228',
        '  throw err;',
        '  ^',
        '',
        "Error: Cannot find module './setup.cjs'",
        'Require stack:',
        '- internal/preload',
        ...stack,
        'Node.js v24.0.0',
      ],
    );
    expect(text!.split('\n')[1]).toBe("  Error: Cannot find module './setup.cjs'");
    expect(text!.split('\n')).toHaveLength(11);
  });

  it('are the last ones where none of them is an error', async () => {
    const out = Array.from({ length: 12 }, (_, i) => `line ${i}`);
    expect(await shown([], out)).toMatch(/line 2\n[^]*line 11$/);
  });

  it('are cut where one is as long as a document', async () => {
    const text = await shown(
      [line('2026-01-02T00:00:02.000Z', 'error', 'x'.repeat(2_000_000))],
      [],
    );
    expect(text!.length).toBeLessThan(3000);
    expect(text).toContain('1998000 characters more');
  });

  it('are taken as they are where they are no JSON', async () => {
    expect(await shown(['"level":"error" and then it broke off'], [])).toContain('broke off');
  });
});
