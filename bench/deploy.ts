/**
 * From nothing to a result, and the memory of a cluster that has nothing to do: `fctl deploy` beside Apache
 * Flink's own scripts, in turn, on this machine now. Medians, and Flink's divided by ours.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flinkRig } from '../test/rigs/flink/installation.ts';
import { fctlSubject } from './deploy/fctl.ts';
import { flinkSubject } from './deploy/flink.ts';
import { type IdleCluster, type Subject, type TinyJob, median } from './deploy/subject.ts';

const runs = 3;
const home = mkdtempSync(join(tmpdir(), 'fctl-bench-'));

interface Figures {
  readonly tiny: TinyJob[];
  readonly idle: IdleCluster[];
}

const rows: readonly (readonly [name: string, unit: string, of: (figures: Figures) => number])[] = [
  ['deploy to first result', 's', ({ tiny }) => median(tiny.map((t) => t.firstMs)) / 1000],
  ['deploy to finished', 's', ({ tiny }) => median(tiny.map((t) => t.finishedMs)) / 1000],
  ['cluster start', 's', ({ idle }) => median(idle.map((i) => i.startMs)) / 1000],
  ['idle JobManager', 'MiB', ({ idle }) => median(idle.map((i) => i.jobManagerMiB))],
  ['idle TaskManager', 'MiB', ({ idle }) => median(idle.map((i) => i.taskManagerMiB))],
  ['idle both', 'MiB', ({ idle }) => median(idle.map((i) => i.jobManagerMiB + i.taskManagerMiB))],
];

try {
  const ours = fctlSubject(home);
  const subjects: Subject[] = flinkRig.isInstalled() ? [ours, flinkSubject] : [ours];
  await ours.runTinyJob(); // fills V8's compile cache
  const figures = new Map(subjects.map(({ name }) => [name, { tiny: [], idle: [] } as Figures]));
  for (let run = 0; run < runs; run++) {
    for (const subject of subjects) {
      figures.get(subject.name)!.tiny.push(await subject.runTinyJob());
      figures.get(subject.name)!.idle.push(await subject.idle());
    }
  }
  const columns = [...figures.keys(), ...(subjects.length > 1 ? ['Flink / fctl'] : [])];
  console.log(' '.repeat(23) + columns.map((name) => name.padStart(13)).join(''));
  for (const [name, unit, of] of rows) {
    const values = [...figures.values()].map(of);
    const shown = values.map((value) => `${value.toFixed(unit === 's' ? 2 : 0)} ${unit}`);
    if (values.length > 1) shown.push((values[1]! / values[0]!).toFixed(1));
    console.log(name.padEnd(23) + shown.map((text) => text.padStart(13)).join(''));
  }
  if (subjects.length === 1) console.log(`Beside Apache Flink: run ${flinkRig.install} first.`);
} finally {
  rmSync(home, { recursive: true, force: true });
}
