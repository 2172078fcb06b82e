import { expect, it } from 'vitest';
import { searchPlaces } from '../../src/config/find.ts';
import { keysOf } from '../../src/config/json-schema.ts';
import { configurationReference } from '../../src/config/reference.ts';
import { load } from './project.ts';

const page = configurationReference();
const rows = page.split('\n').filter((line) => line.startsWith('| `'));
const keys = keysOf().filter(({ path }) => path[0] !== '$schema');

it('has every key, with type, default, variable and meaning', () => {
  expect(rows).toHaveLength(keys.length);
  for (const [index, { path, node }] of keys.entries()) {
    const cells = rows[index]!.split(' | ').map((cell) => cell.replaceAll(/^\| | \|$/g, ''));
    expect(cells).toHaveLength(5);
    expect(cells[0]).toBe(`\`${path.join('.')}\``);
    expect(cells[1]).not.toMatch(/^(any|string|integer)?$/);
    expect(cells[4]).toBe(node.description);
    expect(cells[4], path.join('.')).toMatch(/\.$/);
    if (node.default !== undefined) expect(cells[2]).toBe(`\`${JSON.stringify(node.default)}\``);
  }
});

it('has variables that set their keys', async () => {
  for (const [index, { path, node }] of keys.entries()) {
    const variable = /`(FCTL_[A-Z_]+)`/.exec(rows[index]!)?.[1];
    if (variable === undefined) continue;
    const value = node.default ?? 'ab';
    const env = {
      FCTL_CLUSTER: 'ab',
      [variable]: typeof value === 'string' ? value : JSON.stringify(value),
    };
    const outcome = await load('mode: application', { env }).catch((error: Error) => error.message);
    if (typeof outcome !== 'string') expect(outcome.originOf(path).text).toBe(variable);
    else expect(outcome).not.toContain('unknown key');
  }
});

it('has what else a user must know', () => {
  for (const place of searchPlaces) expect(page).toContain(`\`${place}\``);
  for (const text of ['--set', '--env', '`${env:NAME}`', '`${file:path}`', '`${exec:command}`']) {
    expect(page).toContain(text);
  }
  expect(page).toContain('exit code is 3');
});
