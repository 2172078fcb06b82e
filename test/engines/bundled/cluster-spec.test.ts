import { expect, it } from 'vitest';
import { substitutePlaceholders } from '../../../src/contract/placeholders.ts';
import type { ProcessSpec } from '../../../src/contract/process-spec.ts';
import { clusterSpec } from '../../../src/engines/bundled/cluster-spec.ts';
import { explain } from '../../../src/engines/bundled/explain.ts';
import { load } from '../../config/project.ts';

async function processes(yaml: string): Promise<readonly [ProcessSpec, ProcessSpec]> {
  const { config } = await load(`cluster: demo\n${yaml}`);
  const [master, worker] = clusterSpec(config, null, 'token', 'r1').processes;
  return [master!, worker!];
}

it('gives each role the variables of the config, to the letter', async () => {
  const [master, worker] = await processes(
    'jobmanager: { environment: { A: "${runtime.node} $${x}", TZ: CET } }\ntaskmanager: { environment: { B: b } }',
  );
  expect(substitutePlaceholders(master.environment['A']!, {})).toBe('${runtime.node} $${x}');
  expect(master.environment).toMatchObject({ TZ: 'CET', FCTL_CLUSTER_ID: 'demo' });
  expect(worker.environment).toMatchObject({ B: 'b', FCTL_CLUSTER_ID: 'demo' });
  expect([worker.environment['A'], master.environment['B']]).toEqual([undefined, undefined]);
  for (const file of [...master.files, ...worker.files]) {
    expect(JSON.stringify(file)).not.toContain('CET'); // nor in what REST shows of the config
  }
});

it('names the variable that is a reason to replace a process', async () => {
  const [, before] = await processes('taskmanager: { environment: { B: b } }');
  const [, after] = await processes('taskmanager: { environment: { B: c } }');
  expect(explain(before, after)).toEqual(['taskmanager.environment.B: b → c']);
});
