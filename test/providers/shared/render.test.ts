/** Role templates and their instances: what is equal, what differs, and what is refused. */
import { describe, expect, it } from 'vitest';
import type { ProcessSpec } from '../../../src/contract/process-spec.ts';
import { bundledEngine } from '../../../src/engines/bundled/index.ts';
import { type Instance, type Place, renderProcess } from '../../../src/providers/shared/render.ts';
import { load } from '../../config/project.ts';

const place: Place = {
  address: '10.0.0.1',
  bind: '0.0.0.0',
  recordUrl: 'file:///record',
  clientDir: null,
  storageScope: 'separate',
  ports: {},
};

const instance = (spec: ProcessSpec, index: number, on: Partial<Place> = {}): Instance => {
  const name = `${spec.role}-${index}`;
  return {
    name,
    index,
    spec,
    place: { ...place, ...on },
    paths: {
      node: '/node',
      runtime: '/dist',
      process: `/processes/${name}`,
      work: `/work/${name}`,
      logs: '/logs',
      secrets: '/secrets',
      artifacts: '/artifacts',
    },
  };
};

async function bundledSpecs(set: readonly string[] = []) {
  const yaml = [
    'cluster: demo',
    'application:',
    '  entry: ./app.ts',
    "  args: { input: 'a ${env:PW} b' }",
    '',
  ].join('\n');
  const { config } = await load(yaml, { set, env: { PW: 'x' } });
  const bundle = { hash: 'a'.repeat(64), file: '/bundle.mjs', sizeBytes: 1 };
  return bundledEngine.clusterSpec(config, bundle, 'token', 'r1').processes;
}

describe('the bundled engine', () => {
  it('has the same files for all processes of a role, wherever they run', async () => {
    for (const spec of await bundledSpecs()) {
      const first = renderProcess(instance(spec, 0));
      const other = renderProcess(
        instance(spec, 1, { address: '10.0.0.2', recordUrl: 'http://10.0.0.1:8081', bind: '::' }),
      );
      expect(first.files.length).toBeGreaterThan(0);
      expect(other.files).toEqual(first.files);
      expect(other.environment).toMatchObject({
        FCTL_PROCESS: `${spec.role}-1`,
        FCTL_INDEX: '1',
        FCTL_RELEASE: 'r1',
        FCTL_RECORD: 'http://10.0.0.1:8081',
        FCTL_ADDRESS: '10.0.0.2',
        FCTL_BIND: '::',
        FCTL_WORK_DIR: `/work/${spec.role}-1`,
        FCTL_CONFIG: `/processes/${spec.role}-1/config.json`,
      });
    }
  });

  it('is told its port, and that it has to choose one', async () => {
    const [open] = await bundledSpecs();
    expect(renderProcess(instance(open!, 0)).environment).toMatchObject({ FCTL_PORT_REST: '0' });
    const chosen = instance(open!, 0, { ports: { rest: 4711 } });
    expect(renderProcess(chosen).environment).toMatchObject({ FCTL_PORT_REST: '4711' });
    const [fixed] = await bundledSpecs(['jobmanager.rest.port=9000']);
    expect(renderProcess(instance(fixed!, 0)).environment).toMatchObject({
      FCTL_PORT_REST: '9000',
    });
  });
});

it('leaves the address out where nobody knows it', async () => {
  const [spec] = await bundledSpecs();
  const { environment } = renderProcess(instance(spec!, 0, { address: null }));
  expect(environment).not.toHaveProperty('FCTL_ADDRESS');
});

it('still understands specs of versions that gave each process files of its own', async () => {
  const [spec] = await bundledSpecs();
  const content = JSON.stringify({
    resourceId: '${self.name}',
    record: '${record.url}',
    release: '${self.release}',
    rest: { port: '${port.rest}', bind: '${self.bind}' },
    workDir: '${work.dir}',
    workingDirectory: '${client.dir}',
    advertise: '${self.address}',
  });
  const older = { ...spec!, files: [{ type: 'inline', path: 'config.json', content } as const] };
  const { files } = renderProcess(instance(older, 2, { ports: { rest: 4711 } }));
  expect(JSON.parse(files[0]!.content)).toEqual({
    resourceId: 'jobmanager-2',
    record: 'file:///record',
    release: 'r1',
    rest: { port: '4711', bind: '0.0.0.0' },
    workDir: '/work/jobmanager-2',
    workingDirectory: '/work/jobmanager-2',
    advertise: '10.0.0.1',
  });
});

it('B2: refuses a placeholder that nobody knows', async () => {
  const [spec] = await bundledSpecs();
  const broken = { ...spec!, command: ['${runtime.node}', '${no.such}'] };
  expect(() => renderProcess(instance(broken, 0))).toThrow('${no.such}');
});
