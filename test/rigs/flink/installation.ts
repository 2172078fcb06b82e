/** Where `install` puts Apache Flink, and its command-line client. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const version = '2.3.0';

export const flinkHome = join(
  process.env['FCTL_RIGS'] ?? join(homedir(), '.cache/fctl-rigs'),
  `flink-${version}`,
);

/** The jobs of jobs/TestJob.java. */
export const testJar = join(flinkHome, 'usrlib/test-job.jar');

export const flinkRig = {
  name: 'flink',
  install: 'test/rigs/flink/install',
  isInstalled: () => existsSync(join(flinkHome, '.complete')),
};

export interface CliAnswer {
  /** Absent: it was killed. */
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `bin/flink`: `flinkCli('list', '-a', '-m', '127.0.0.1:8081')`. */
export async function flinkCli(...args: readonly string[]): Promise<CliAnswer> {
  const logs = mkdtempSync(join(tmpdir(), 'fctl-flink-cli-'));
  try {
    return await execa(join(flinkHome, 'bin/flink'), args, {
      env: { FLINK_CONF_DIR: join(flinkHome, 'conf'), FLINK_LOG_DIR: logs },
      reject: false,
      // It asks again for minutes when it does not like an answer.
      timeout: 240_000,
    });
  } finally {
    rmSync(logs, { recursive: true, force: true });
  }
}

/** The static files of Flink's Web UI, taken out of the distribution into `folder`. @returns their folder */
export async function unpackWebUi(folder: string): Promise<string> {
  const jar = join(flinkHome, `lib/flink-dist-${version}.jar`);
  await execa('jar', ['--extract', '--file', jar, 'web/'], { cwd: folder });
  return join(folder, 'web');
}
