/** Logs, threads and surroundings of a process in the shapes of Flink's REST API. Pure. */
import type { ProcessEnvironment } from '../../jobmanager/views/cluster-view.ts';
import type { LogFileInfo, ThreadInfo } from '../../rpc/protocol.ts';

export function logList(files: readonly LogFileInfo[]) {
  return {
    logs: files.map(({ modified, name, sizeBytes }) => ({
      name,
      size: sizeBytes,
      mtime: modified,
    })),
  };
}

export function threadDump(threads: readonly ThreadInfo[]) {
  return {
    threadInfos: threads.map(({ name, text }) => ({
      threadName: name,
      stringifiedThreadInfo: text,
    })),
  };
}

/** Node.js in the place of the Java virtual machine. */
export function environmentInfo({ arch, options, script, version }: ProcessEnvironment) {
  return { jvm: { version, arch, options }, classpath: [script] };
}
