/** A process that starts `main()` as a JobManager does, says its pid, and waits to be killed. */
import { startApplicationProcess } from '../../../../src/runtime/jobmanager/dispatcher/application-process.ts';
import { silentLogger } from '../silent-logger.ts';

const [script, workingDirectory, bundleFile] = process.argv.slice(2) as [string, string, string];
const application = await startApplicationProcess({
  script,
  workingDirectory,
  start: {
    bundleFile,
    bundleHash: 'b'.repeat(64),
    args: {},
    parallelism: 1,
    mode: 'application',
    job: null,
    secrets: [],
    detached: false,
    jobManager: { restUrl: 'http://127.0.0.1:1', token: null, epoch: 1 },
  },
  output: { write: (text) => process.stdout.write(text), close: () => {} },
  logger: silentLogger,
});
process.stdout.write(`pid ${application.pid}\n`);
await application.ended;
