/** What a deployment is given, and the processes and the release that follow from it. */
import type { ClusterId } from '../../contract/cluster-id.ts';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { restoreConfig } from '../../config/recorded.ts';
import type { ResolvedConfig } from '../../config/resolved.ts';
import type { ReleaseCause, ReleaseEntry } from '../../record/documents.ts';
import { ClusterError, ConfigError, type Problem, problem } from '../../contract/errors.ts';
import { ExitCode } from '../../contract/exit-codes.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { ClusterSpec } from '../../contract/process-spec.ts';
import type { Engine } from '../../engines/engine.ts';
import type { ApplicationBundle } from '../../packaging/bundle.ts';
import type { Hooks } from '../hooks.ts';
import { hashSecrets, releaseHash } from '../release.ts';
import type { Site } from '../site.ts';

export interface DeployInput extends Site {
  readonly config: ResolvedConfig;
  /** The config in the user's units with secrets masked, for the record. */
  readonly maskedConfig: JsonObject;
  /** The same with its secrets: what earlier releases take theirs from. `null`: there is none. */
  readonly today: JsonObject | null;
  /** The record has keys of the configuration that this version of fctl does not have: they do not count. */
  readonly onUnknownKeys: (paths: readonly string[]) => void;
  readonly bundle: ApplicationBundle | null;
  /** Where the client keeps bundles. */
  readonly bundlesDir: string;
  readonly engine: Engine;
  /** What is known to be wrong with it; it is told with what preflight finds. */
  readonly problems: readonly Problem[];
  /** `null`: none are run. */
  readonly hooks: Hooks | null;
}

/** What a release says beside what happens to it. */
export type ReleaseContent = Pick<
  ReleaseEntry,
  | 'release'
  | 'cause'
  | 'engine'
  | 'config'
  | 'secretsHash'
  | 'bundleHash'
  | 'bundleSizeBytes'
  | 'clientDir'
>;

export interface Desired {
  readonly spec: ClusterSpec;
  readonly content: ReleaseContent;
  readonly config: ResolvedConfig;
}

/** Part of every release. */
const engineVersion = ({ name, version }: Engine): string => `${name} ${version}`;

/** Releases of one cluster share its token: the running processes know no other. */
export async function desiredCluster(input: DeployInput, cause: ReleaseCause): Promise<Desired> {
  const { bundle, config, engine, maskedConfig, provider } = input;
  const isProtected = config.security.auth === 'token';
  const there = isProtected ? await provider.secrets(config.cluster, input) : null;
  const token = isProtected ? (there?.['token'] ?? randomBytes(32).toString('hex')) : null;
  const secretsHash = hashSecrets(config, token ?? config.cluster);
  const release = releaseHash(config, bundle?.hash ?? null, engineVersion(engine), secretsHash);
  return {
    spec: engine.clusterSpec(config, bundle, token, release),
    content: {
      release,
      cause,
      engine: engineVersion(engine),
      config: maskedConfig,
      secretsHash,
      bundleHash: bundle?.hash ?? null,
      bundleSizeBytes: bundle?.sizeBytes ?? 0,
      clientDir: config.projectDir,
    },
    config,
  };
}

/**
 * The input with which an earlier release is deployed again: its config and its bundle, today's secrets.
 * @throws ConfigError for secrets that nobody knows today; ClusterError (exit 7) when its bundle is gone.
 */
export async function inputOfRelease(
  input: Omit<DeployInput, 'config' | 'maskedConfig' | 'bundle'>,
  clusterId: ClusterId,
  entry: ReleaseEntry,
  folder: string,
): Promise<DeployInput> {
  const projectDir = existsSync(entry.clientDir) ? entry.clientDir : folder;
  const { config, missing, unknown } = restoreConfig(entry.config, input.today, projectDir);
  input.onUnknownKeys(unknown);
  if (missing.length > 0) {
    throw new ConfigError(
      missing.map((path) =>
        problem({
          code: 'secret-missing',
          message: `release ${entry.number} needs a secret that today's configuration does not have`,
          path,
          hint: 'secrets are stored nowhere: run it where a config file with this key is',
        }),
      ),
    );
  }
  const wanted: DeployInput = {
    ...input,
    config: { ...config, application: entry.bundleHash === null ? null : config.application },
    maskedConfig: entry.config,
    bundle: bundleOf(entry, input.bundlesDir),
  };
  await refuseGoneBundle(wanted, clusterId, entry);
  return wanted;
}

/** Its file on this client need not be there: the cluster keeps it. */
function bundleOf(
  { bundleHash, bundleSizeBytes }: ReleaseEntry,
  bundlesDir: string,
): ApplicationBundle | null {
  if (bundleHash === null) return null;
  return {
    hash: bundleHash,
    sizeBytes: bundleSizeBytes,
    file: join(bundlesDir, `${bundleHash}.mjs`),
  };
}

async function refuseGoneBundle(
  { bundle, provider, signal }: DeployInput,
  clusterId: ClusterId,
  { number, release }: ReleaseEntry,
): Promise<void> {
  if (bundle === null || existsSync(bundle.file)) return;
  if (await provider.artifacts(clusterId).has(bundle.hash, { signal })) return;
  throw new ClusterError(
    ExitCode.notFound,
    problem({
      code: 'bundle-gone',
      message: `the application bundle of release ${number} (${release}) is neither in the cluster nor here: ${bundle.hash}`,
      hint: "check out its sources and 'fctl deploy' them",
    }),
  );
}
