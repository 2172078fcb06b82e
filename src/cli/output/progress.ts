/** Progress of long work: a spinner on a terminal, plain lines otherwise. All on stderr. */
import type { Ora } from 'ora';
import type { ReportOptions } from './report.ts';
import { err, shown } from './style.ts';

export interface Progress {
  /** What is being done now. */
  step(text: string): void;
  /** So much of a transfer is done; plain lines tell its start, each quarter and its end. */
  transfer(key: string, share: number, text: () => string): void;
  /** Something is done. */
  done(text: string): void;
  /** A view that replaces the one before, such as a table; plain lines show it now and then. */
  view(text: () => string): void;
  stop(): void;
}

const plainViewMs = 5000;

/** Nothing is shown with `--quiet`, nor beside an answer for programs. */
export async function createProgress({
  json,
  quiet,
}: Pick<ReportOptions, 'json' | 'quiet'>): Promise<Progress> {
  if (quiet || json) return silent;
  // A terminal that says it has no columns (as `script` without one makes it) would be cleared for ever.
  if (!process.stderr.isTTY || !process.stderr.columns) return plainProgress();
  const { default: ora } = await import('ora');
  // ora would colour its spinner whatever NO_COLOR says.
  const color = process.stderr.hasColors() ? 'cyan' : false;
  return terminalProgress(ora({ stream: process.stderr, discardStdin: false, color }));
}

const ignore = () => undefined;
const silent: Progress = {
  step: ignore,
  transfer: ignore,
  done: ignore,
  view: ignore,
  stop: ignore,
};

function plainProgress(): Progress {
  let nextView = Date.now() + plainViewMs;
  const quarters = new Map<string, number>();
  const write = (text: string) => void process.stderr.write(`${shown(text)}\n`);
  return {
    step: write,
    transfer: (key, share, text) => {
      const quarter = Math.floor(4 * share);
      if (quarter <= (quarters.get(key) ?? -1)) return;
      quarters.set(key, quarter);
      write(text());
    },
    done: write,
    view: (text) => {
      if (Date.now() < nextView) return;
      nextView = Date.now() + plainViewMs;
      write(text());
    },
    stop: ignore,
  };
}

function terminalProgress(spinner: Ora): Progress {
  const start = (text: string) => void spinner.start(shown(text));
  return {
    step: start,
    transfer: (_key, _share, text) => start(text()),
    done: (text) => void spinner.stopAndPersist({ symbol: err.green('✔'), text: shown(text) }),
    view: (text) => start(text()),
    stop: () => void spinner.stop(),
  };
}
