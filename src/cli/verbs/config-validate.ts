/** `fctl config validate`: every problem at once. */
import type { Context } from '../context.ts';

export async function run(context: Context): Promise<void> {
  const { file, config } = await context.config({ application: true });
  context.report.result(
    { file, cluster: config.cluster },
    () => `${file ?? 'The configuration'} is valid.`,
  );
}
