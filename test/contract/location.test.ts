import { describe, expect, test } from 'vitest';
import { type Location, parseLocation } from '../../src/contract/location.ts';

const path = (text: string): Location => ({ kind: 'path', path: text });
const home = (below: string): Location => ({ kind: 'home', below });
const address = (scheme: string): Location => ({ kind: 'address', scheme });

describe('a location', () => {
  test.each<[string, Location]>([
    ['in.csv', path('in.csv')],
    ['./a b/100%/#1/ü\n?', path('./a b/100%/#1/ü\n?')],
    ['log:1.txt', path('log:1.txt')],
    ['10:00/in', path('10:00/in')],
    ['c:/in', path('c:/in')],
    ['./s3://bucket', path('./s3://bucket')],
    ['a/s3://bucket', path('a/s3://bucket')],
    ['backup~', path('backup~')],
    ['./~/in', path('./~/in')],
    ['~', home('')],
    ['~/in', home('in')],
    ['file:///a/b', path('/a/b')],
    ['file:/a/b', path('/a/b')],
    ['FILE://localhost/a', path('/a')],
    ['file:///a%20b/%C3%BC', path('/a b/ü')],
    ['file:///a b/part-?.csv#1', path('/a b/part-?.csv#1')],
    ['s3://bucket/in', address('s3')],
    ['S3A://bucket/in', address('s3a')],
    ['hdfs:/in', address('hdfs')],
    ['abfs+x.1-y://in', address('abfs+x.1-y')],
  ])('%j', (text, meaning) => {
    expect(parseLocation(text)).toEqual(meaning);
  });

  test.each([
    ['', 'is empty'],
    [' \n', 'is empty'],
    ['a\0b', 'code 0'],
    ['file:out', 'needs an absolute path'],
    ['file:', 'needs an absolute path'],
    ['file://', 'needs an absolute path'],
    ['file://server/share', 'names another machine'],
    ['file:///100%', "write '%25'"],
    ['file:///%ff', "write '%25'"],
    ['~flink/in', 'the home of another user'],
  ])('%j is refused', (text, why) => {
    expect(parseLocation(text)).toEqual({ kind: 'invalid', why: expect.stringContaining(why) });
  });
});
