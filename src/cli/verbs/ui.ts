/** `fctl ui`: a Web UI of a cluster, on loopback, in the browser. */
import { spawn } from 'node:child_process';
import { ProcessEnvironment } from '../../contract/environment.ts';
import { UsageError, problem } from '../../contract/errors.ts';
import type { ui as declaration } from '../commands/ui.ts';
import type { Context } from '../context.ts';
import type { Given } from '../verb.ts';
import { serve } from './proxy.ts';

export async function run(
  context: Context,
  { cluster, files, noOpen, port }: Given<typeof declaration>,
): Promise<void> {
  const ui = files ?? context.place.environment[ProcessEnvironment.ui] ?? '';
  if (ui === '') {
    throw new UsageError(
      problem({
        code: 'ui-missing',
        message: 'nothing says where the files of a Web UI are',
        hint: "give --files, or set FCTL_UI; 'fctl proxy' serves the REST API without one",
      }),
    );
  }
  await serve(context, { cluster, port, ui }, (url) => {
    if (!noOpen) openBrowser(context, url);
  });
}

/** The command that opens what is named with the program that the user has chosen for it. */
const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';

function openBrowser({ report }: Context, url: string): void {
  const browser = spawn(opener, [url], { stdio: 'ignore', detached: true });
  browser.once('error', () => report.message(`No browser could be opened: visit ${url}.`));
  browser.unref();
}
