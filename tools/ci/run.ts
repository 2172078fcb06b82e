/**
 * Runs everything that has to pass before a change lands, on one build: `npm test`, the quickstart, and the
 * suites of suites.ts. The rigs are installed first, in the background; a suite waits for its own.
 *
 * C1  One suite of the lane `cpu` and one of the lane `waiting` run at the same time, those of `alone` after
 *     all others and by themselves.
 * C2  A suite that fails keeps no other from running; what each printed is printed when it ends.
 * C3  What fails while another lane runs is repeated alone at the end, and only that counts; it is told, for a
 *     test that fails beside others is a test to look at.
 * C4  The suites of a rig that has something to share, share one that is started here, once; each fails where it
 *     leaves something on it. Suites that break theirs start their own.
 * C5  With `CI_BASE=COMMIT` suites are left out that the files changed since then cannot touch, with the
 *     reason. Nothing else is ever left out: FCTL_REQUIRE_RIGS makes a rig that is missing a failure.
 */
import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { execa } from 'execa';
import { DockerEngine } from '../../test/rigs/docker/engine.ts';
import { SshHosts } from '../../test/rigs/ssh-hosts/hosts.ts';
import { type Lane, type Suite, harmless, suites } from './suites.ts';

interface Result {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  /** Does the same once more (C3). */
  readonly repeat: () => Promise<boolean>;
  /** `null`: it has none. */
  readonly budget: number | null;
}

const results: Result[] = [];

/** What runs of a rig until the end, with the variables by which suites find it (C4). */
interface Shared {
  readonly handover: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}
const sharing: Readonly<Record<string, () => Promise<Shared>>> = {
  docker: () => DockerEngine.start({ tls: true }),
  'ssh-hosts': () => SshHosts.start({ count: 3 }),
};
const shared = new Map<string, Promise<Shared | null>>();

/** Starts it the first time. Where it does not start each suite tries for itself, and says what is wrong. */
function share(rig: string): Promise<Shared | null> {
  const known = shared.get(rig);
  if (known !== undefined) return known;
  const start = sharing[rig];
  const started = start === undefined ? Promise.resolve(null) : start();
  const made = started.catch((error: unknown) => {
    console.log(`${rig} cannot be shared: ${String(error)}`);
    return null;
  });
  shared.set(rig, made);
  return made;
}

/** Runs a command to its end and then prints what it said. */
async function run(
  name: string,
  command: string,
  args: readonly string[],
  budget: number | null,
  environment: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const start = performance.now();
  console.log(`:: ${name} begins`);
  const { all, exitCode } = await execa(command, args, {
    all: true,
    reject: false,
    stdin: 'ignore',
    env: {
      ...environment,
      FCTL_REQUIRE_RIGS: rigs.join(' '),
      FCTL_BUILT: '1',
      FCTL_REPORT: name.replaceAll(/\W+/g, '-'),
    },
    // What is run by its name in node_modules/.bin finds the repository's node there, as npm's scripts do.
    preferLocal: !command.startsWith('npm'),
  });
  const seconds = Math.round((performance.now() - start) / 1000);
  const ok = exitCode === 0;
  console.log(`\n===== ${name}: ${ok ? 'passed' : 'FAILED'} after ${seconds} s =====\n${all}`);
  const repeat = () => run(name, command, args, budget, environment);
  results.push({ name, ok, seconds, budget, repeat });
  return ok;
}

/** Files that differ from a commit; `null`: everything counts as changed. */
function changedFiles(base: string | undefined): readonly string[] | null {
  if (base === undefined || base === '') return null;
  const { status, stdout, stderr } = spawnSync('git', ['diff', '--name-only', base], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`CI_BASE=${base}: ${stderr}`);
  return stdout.split('\n').filter((file) => file !== '');
}

/** Whether some changed file can change what a suite sees (C5). */
function isConcerned({ apartFrom }: Suite, changed: readonly string[] | null): boolean {
  const apart = [...harmless, ...apartFrom];
  return (
    changed === null || changed.some((file) => !apart.some((prefix) => file.startsWith(prefix)))
  );
}

const changed = changedFiles(process.env['CI_BASE']);
const chosen = suites.filter((suite) => isConcerned(suite, changed));
for (const { name } of suites.filter((suite) => !chosen.includes(suite))) {
  console.log(
    `left out: ${name}, for nothing that it sees changed since ${process.env['CI_BASE']}`,
  );
}
const rigs = [...new Set(chosen.flatMap((suite) => suite.rigs))];

/** One after the other: Debian's package manager does not share its lock. */
const installed = new Map<string, Promise<boolean>>();
let previous: Promise<unknown> = Promise.resolve();
for (const rig of rigs) {
  const done = previous.then(() => run(`install ${rig}`, `test/rigs/${rig}/install`, [], null));
  installed.set(rig, done);
  previous = done;
}

async function runSuite({ budget, name, rigs: needed }: Suite): Promise<void> {
  let environment = {};
  for (const rig of needed) {
    if (await installed.get(rig)) environment = { ...environment, ...(await share(rig))?.handover };
  }
  const args = ['run', '--config', 'vitest.integration.config.ts', name];
  await run(name, 'vitest', args, budget, environment);
}

async function runLane(lane: Lane): Promise<void> {
  for (const suite of chosen.filter((each) => each.lane === lane)) await runSuite(suite);
}

const testBudget = 300;
const quickstartBudget = 30;

/** C1 */
async function runCpuLane(): Promise<void> {
  await run('npm test', 'npm', ['test'], testBudget);
  await run('npm run quickstart', 'npm', ['run', 'quickstart'], quickstartBudget);
  await runLane('cpu');
}

/** Seconds that all may take together, as lanes run (C1). */
function wholeBudget(): number {
  const of = (lane: Lane) =>
    chosen.filter((suite) => suite.lane === lane).reduce((sum, { budget }) => sum + budget, 0);
  return Math.max(testBudget + quickstartBudget + of('cpu'), of('waiting')) + of('alone');
}

await Promise.all([runCpuLane(), runLane('waiting')]);
await runLane('alone');
const failedBesideOthers = results.filter(({ ok }) => !ok);
for (const { repeat } of failedBesideOthers) await repeat(); // C3
for (const rig of shared.values()) await (await rig)?.stop();

console.log('\nsuite, seconds, budget');
for (const { budget, name, ok, seconds } of results) {
  const over = budget !== null && seconds > budget ? ' (over its budget)' : '';
  console.log(
    `${ok ? ' ' : 'X'} ${name}: ${seconds} s${budget === null ? '' : ` of ${budget} s`}${over}`,
  );
}
const whole = Math.round(performance.now() / 1000);
console.log(`  all together: ${whole} s of ${wholeBudget()} s`);
console.log(`integration rigs: ${rigs.join(' ') || 'none'}`);
const last = new Map(results.map(({ name, ok }) => [name, ok]));
const failed = [...last].filter(([, ok]) => !ok).map(([name]) => name);
for (const { name } of failedBesideOthers) {
  if (last.get(name)) console.log(`failed beside others, passed when repeated alone: ${name}`);
}
if (failed.length > 0) console.log(`failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
