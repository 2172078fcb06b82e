/**
 * The suites that have to pass before a change lands: the only place that lists them. `tools/ci/run.ts` runs
 * them; `npm run test:integration -- NAME` runs one by hand.
 */

/**
 * `cpu`: keeps a core busy; one at a time. `waiting`: mostly waits for platforms; one at a time, beside those
 * of the lane `cpu`. `alone`: measures memory or how fast something is cancelled; nothing runs beside it.
 */
export type Lane = 'cpu' | 'waiting' | 'alone';

export interface Suite {
  /** A folder or file below `test/integration`. */
  readonly name: string;
  readonly lane: Lane;
  /** Rigs that have to be installed, by their folders in `test/rigs`. */
  readonly rigs: readonly string[];
  /** Seconds that it may take on two cores with another lane beside it, of which a third is for a noisy machine. */
  readonly budget: number;
  /**
   * Folders and files of the repository that cannot change what the suite sees, beside those that can
   * change nothing (`harmless`). What is named nowhere concerns every suite.
   */
  readonly apartFrom: readonly string[];
}

/** Files that no suite of `test/integration` reads. */
export const harmless = ['bench/', 'README.md', 'LICENSE', 'web/'] as const;

const standalone = ['src/providers/standalone/', 'templates/systemd/'];
const docker = ['src/providers/docker/', 'src/packaging/container-image.ts'];
/** What only suites of other folders read; of the documentation each guide is read by its own. */
const elsewhere = (own: string, suite = '') => [
  ...['docker', 'flink', 'local', 'ssh-hosts']
    .filter((folder) => folder !== own)
    .map((folder) => `test/integration/${folder}/`),
  ...(suite === 'guide' ? [] : ['docs/']),
];

const onLocal = (name: string, lane: Lane, budget: number): Suite => ({
  name: `local/${name}`,
  lane,
  rigs: [],
  budget,
  apartFrom: [...standalone, ...docker, 'test/rigs/', ...elsewhere('local')],
});
const onFlink = (name: string, rigs: readonly string[], budget: number): Suite => ({
  name: `flink/${name}`,
  lane: 'cpu',
  rigs,
  budget,
  apartFrom: [...standalone, ...docker, ...elsewhere('flink')],
});
const onHosts = (name: string, budget: number): Suite => ({
  name: `ssh-hosts/${name}`,
  lane: 'waiting',
  rigs: ['ssh-hosts'],
  budget,
  apartFrom: [...docker, ...elsewhere('ssh-hosts', name)],
});
const onDocker = (name: string, budget: number): Suite => ({
  name: `docker/${name}`,
  lane: 'waiting',
  rigs: ['docker'],
  budget,
  apartFrom: [...standalone, ...elsewhere('docker', name)],
});

/** In the order in which they run in their lane. */
export const suites: readonly Suite[] = [
  onDocker('rig', 60),
  onDocker('contract', 90),
  onDocker('ssh', 60),
  onDocker('cli', 120),
  onDocker('flights', 90),
  onDocker('kills', 60),
  onDocker('faults', 120),
  onDocker('guide', 90),
  onHosts('rig', 60),
  onHosts('contract', 90),
  onHosts('access', 60),
  onHosts('bad-hosts', 60),
  onHosts('clusters', 120),
  onHosts('flights', 90),
  onHosts('kills', 75),
  onHosts('faults', 120),
  onHosts('guide', 90),
  onLocal('kills', 'cpu', 90),
  onLocal('per-job-kills', 'cpu', 90),
  onLocal('recovery', 'cpu', 90),
  onLocal('releases', 'cpu', 120),
  onLocal('restart', 'cpu', 90),
  onLocal('standalone', 'cpu', 60),
  onFlink('contract', ['flink'], 90),
  onFlink('cli', ['flink'], 90),
  onFlink('login', ['flink', 'chromium'], 60),
  onFlink('web-ui', ['flink', 'chromium'], 180),
  onLocal('isolation', 'alone', 90),
  onLocal('session-sharing', 'alone', 90),
  onLocal('soak', 'alone', 120),
];
