/** Which paths all processes see alike. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isSharedPath, looksLocal } from '../../src/contract/shared-storage.ts';

const shared = ['hdfs', '/mnt/data', '/srv/'];

it.each([
  ['/mnt/data', true],
  ['/mnt/data/in/*.csv', true],
  ['/srv/x', true],
  ['file:///mnt/data/in.csv', true],
  ['file:/mnt/data/in.csv', true],
  ['file://localhost/mnt/data/in.csv', true],
  ['hdfs://name/in.csv', true],
  ['s3://bucket/in.csv', true],
  ['/mnt/database', false],
  ['/mnt/data/../secret', false],
  ['/mnt', false],
  ['/', false],
  ['./in.csv', false],
  ['in.csv', false],
  ['../mnt/data', false],
  ['file:///etc/passwd', false],
  ['FILE:///etc/passwd', false],
  ['', false],
  ['~/data', false],
  ['file:///mnt/data%2F..%2F..%2Fetc', false],
])('%s: %s', (path, expected) => {
  expect(isSharedPath(path, shared)).toBe(expected);
});

it.each([
  ['./a', true],
  ['../a', true],
  ['..', true],
  ['.', true],
  ['/a', true],
  ['file:a', true],
  ['a/b', false],
  ['~/a', true],
  ['~', true],
  ['a~', false],
  ['.hidden', false],
  ['hdfs://a', false],
  ['1.5', false],
  ['', false],
])('%s looks local: %s', (text, expected) => {
  expect(looksLocal(text)).toBe(expected);
});

const segment = fc.constantFrom('a', 'b', '..', '.', '', '*', 'data');
const absolute = fc.array(segment, { maxLength: 6 }).map((parts) => `/${parts.join('/')}`);

it('what is shared stays so below it, and no way leads out', () => {
  fc.assert(
    fc.property(absolute, absolute, (root, path) => {
      const { pathname } = new URL(`file://${path}`);
      const below = `${root}/x/${path.replaceAll('..', 'y')}`;
      expect(isSharedPath(below, [root])).toBe(true);
      if (isSharedPath(path, ['/only/here'])) expect(pathname).toMatch(/^\/only\/here/);
      expect(isSharedPath(path, [])).toBe(false);
    }),
  );
});
