/** Containers → processes of a cluster. Pure. */
import { Role } from '../../contract/process-spec.ts';
import type { ProcessSpec } from '../../contract/process-spec.ts';
import type { ObservedProcess } from '../provider.ts';
import { Label } from './names.ts';
import type { Container, Crash } from './resources.ts';

/**
 * @param ended whether the cluster wrote how it ended.
 * @param crash its latest, where it was started again since.
 */
export function observeContainer(
  container: Container,
  ended: boolean,
  crash: Crash | null,
): ObservedProcess {
  const { Config, Name, RestartCount, State } = container;
  const labels = Config.Labels;
  const hasRun = !State.StartedAt.startsWith('0001-');
  const running = State.Running && !State.Restarting;
  const location = `container ${Name.slice(1)}`;
  return {
    name: labels[Label.process]!,
    role: labels[Label.role] === Role.jobmanager ? Role.jobmanager : Role.taskmanager,
    index: Number(labels[Label.index]),
    release: labels[Label.release] ?? '',
    // While a restart is pending the engine says that it runs.
    status: State.Restarting ? 'restarting' : running ? 'running' : ended ? 'exited' : 'lost',
    reason: null,
    location: hasRun ? location : `${location}, never started`,
    host: null,
    misplaced: null,
    startedAt: hasRun ? Date.parse(State.StartedAt) : null,
    restarts: RestartCount,
    // Of a running one the engine says 0.
    exitCode: running ? (crash?.exitCode ?? null) : hasRun ? State.ExitCode : null,
    suspended: State.Paused,
    outOfMemory: State.OOMKilled || (crash?.outOfMemory ?? false),
    spec: parseSpec(labels[Label.spec]),
  };
}

function parseSpec(text: string | undefined): ProcessSpec | null {
  try {
    return text === undefined ? null : (JSON.parse(text) as ProcessSpec);
  } catch {
    return null;
  }
}
