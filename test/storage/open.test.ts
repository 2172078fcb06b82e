import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { absoluteLocation, locationProblem, openFileSystem } from '../../src/storage/open.ts';

describe('an absolute location', () => {
  test.each([
    ['in/a.csv', '/base/in/a.csv'],
    ['./in/', '/base/in'],
    ['../in', '/in'],
    ['/data/#1 100%', '/data/#1 100%'],
    ['file:///data/a%20b', '/data/a b'],
    ['~/in', join(homedir(), 'in')],
    ['~', homedir()],
  ])('%s', async (location, absolute) => {
    expect(absoluteLocation(location, '/base')).toBe(absolute);
    expect(absoluteLocation(absolute, '/other')).toBe(absolute);
    const { fileSystem, path } = await openFileSystem(absolute);
    expect([fileSystem.scheme, path]).toEqual(['file', absolute]);
  });

  test.each([
    ['', "the path '' is empty"],
    ['s3://bucket/in', "the path 's3://bucket/in' has no file system: there is none for s3:"],
    ['hdfs://name/in', 'none for hdfs:; this version has file:'],
    ['constructor://x', 'none for constructor:'],
    ['file:out', 'needs an absolute path'],
  ])('%j is refused by name', async (location, message) => {
    const error = { fault: 'unsupported', message: expect.stringContaining(message) };
    expect(() => absoluteLocation(location, '/base')).toThrow(expect.objectContaining(error));
    await expect(openFileSystem(location)).rejects.toMatchObject(error);
    expect(locationProblem(location)).not.toBeNull();
  });

  test('a relative one cannot be opened', async () => {
    await expect(openFileSystem('in')).rejects.toThrow("the path 'in' is not absolute");
    expect(locationProblem('in')).toBeNull();
  });
});
