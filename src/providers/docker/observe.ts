/** Containers → processes of a cluster. Pure. */
import { Role } from '../../contract/process-spec.ts';
import type { ProcessSpec } from '../../contract/process-spec.ts';
import type { ObservedProcess } from '../provider.ts';
import { Label } from './names.ts';
import type { Container } from './resources.ts';

/**
 * @param ended whether the cluster wrote how it ended.
 * @param lastExit of its latest end, where it has run again since.
 */
export function observeContainer(
  container: Container,
  ended: boolean,
  lastExit: number | null,
): ObservedProcess {
  const { Config, Name, RestartCount, State } = container;
  const labels = Config.Labels;
  const hasRun = !State.StartedAt.startsWith('0001-');
  const running = State.Running && !State.Restarting;
  const kill = State.OOMKilled ? ', killed: out of memory' : '';
  const location = `container ${Name.slice(1)}`;
  return {
    name: labels[Label.process]!,
    role: labels[Label.role] === Role.jobmanager ? Role.jobmanager : Role.taskmanager,
    index: Number(labels[Label.index]),
    release: labels[Label.release] ?? '',
    // While a restart is pending the engine says that it runs.
    status: State.Restarting ? 'restarting' : running ? 'running' : ended ? 'exited' : 'lost',
    location: hasRun ? `${location}${running ? '' : kill}` : `${location}, never started`,
    host: null,
    misplaced: null,
    startedAt: hasRun ? Date.parse(State.StartedAt) : null,
    restarts: RestartCount,
    // Of a running one the engine says 0.
    exitCode: running ? lastExit : hasRun ? State.ExitCode : null,
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
