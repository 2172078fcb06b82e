/**
 * Entry point of what a client runs beside the volume of a cluster; it ends with its input.
 *
 *     keeper.js keep VOLUME             answers the requests of contract/keeper-messages.ts
 *     keeper.js logs FOLDER FILE JSON   prints `+` and the lines of a log, `-` where there is none;
 *                                       JSON: `{ follow, tail }`
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readLogs } from '../../contract/log-files.ts';
import { runKeeper } from './keeper.ts';

const [task, folder, file, options] = process.argv.slice(2);
if (task === 'logs') {
  const end = new AbortController();
  process.stdin.on('end', () => end.abort()).resume();
  const how = JSON.parse(options!) as { follow: boolean; tail: number | null };
  const isThere = await stat(join(folder!, file!)).catch(() => null);
  process.stdout.write(isThere ? '+' : '-');
  const text = readLogs(folder!, file!, { ...how, signal: end.signal });
  if (isThere) await pipeline(text, process.stdout).catch(() => {}); // nobody reads any more
} else {
  await runKeeper(folder!, process.stdin, process.stdout);
}
process.exit(0);
