import { expect, test } from 'vitest';
import { verbFirst } from '../../src/cli/verb-first.ts';

test.each<[string, string]>([
  ['list --json', 'list --json'],
  ['--json list', 'list --json'],
  ['-c fctl.yaml --env far status demo -w', 'status demo -w -c fctl.yaml --env far'],
  ['--config=fctl.yaml -q session list', 'session list --config=fctl.yaml -q'],
  ['-D a=1 --set b=2 plan', 'plan -D a=1 --set b=2'],
  ['--cluster demo exec -- ls --json', 'exec --cluster demo -- ls --json'],
  ['--help', '--help'],
  ['--json', '--json'],
  ['--nothing list', '--nothing list'],
  ['-c', '-c'],
])('%s', (line, ordered) => {
  expect(verbFirst(line.split(' ')).join(' ')).toBe(ordered);
});
