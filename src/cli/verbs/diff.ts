/** `fctl diff`: what differs between two releases of a cluster. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { differences, flatten } from '../../contract/diff-values.ts';
import { ClusterError, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import { noSuchCluster } from '../../deployment/cancel.ts';
import { findRelease, previousStable, readReleases } from '../../deployment/releases.ts';
import type { ReleaseEntry } from '../../record/documents.ts';
import type { diff as declaration } from '../commands/diff.ts';
import type { Context } from '../context.ts';
import { out } from '../output/style.ts';
import { when } from '../output/times.ts';
import type { Given } from '../verb.ts';

export async function run(
  context: Context,
  { cluster, from: first, to: second }: Given<typeof declaration>,
): Promise<void> {
  const clusterId = await context.clusterId(cluster);
  const provider = await context.provider();
  if ((await provider.observe(clusterId, context)) === null) throw noSuchCluster(clusterId);
  const releases = await readReleases(provider.record(clusterId));
  const to = second === null ? releases.at(-1) : findRelease(releases, second);
  const from = first === null ? previousStable(releases) : findRelease(releases, first);
  if (to === undefined || from === null) throw nothingToCompare(clusterId);
  const changed = differences(contentOf(from), contentOf(to));
  const sides = { from: sideOf(from), to: sideOf(to) };
  context.report.result({ clusterId, ...sides, differences: changed }, () =>
    [
      `${describe('-', from)}\n${describe('+', to)}`,
      changed.length === 0 ? 'Nothing differs.' : changed.join('\n'),
    ].join('\n\n'),
  );
}

/** By dotted key: the config, and what else makes a release. */
function contentOf({ bundleHash, config, engine, fctlVersion, secretsHash }: ReleaseEntry) {
  const application = bundleHash?.slice(0, 12) ?? 'none';
  const secrets = secretsHash?.slice(0, 8) ?? 'none';
  const beside = { bundle: application, secrets, engine, fctl: fctlVersion };
  return flatten(beside, '', flatten(config, '', new Map()));
}

const sideOf = ({ by, createdAt, number, release }: ReleaseEntry) => ({
  number,
  release,
  createdAt,
  by,
});

const describe = (sign: string, { by, createdAt, number, release }: ReleaseEntry) =>
  `${sign} release ${out.bold(String(number))} (${release}), ${when(createdAt)}, by ${by}`;

const nothingToCompare = (clusterId: ClusterId) =>
  new ClusterError(
    ExitCode.notFound,
    problem({
      code: 'no-such-release',
      message: `${clusterId} has no other stable release to compare with`,
      hint: `'fctl releases ${clusterId}' lists them`,
    }),
  );
