/** `fctl config validate`: every problem at once. */
import type { Context } from '../context.ts';

export async function run(context: Context): Promise<void> {
  const { file, config, warnings } = await context.config();
  context.report.result({ file, cluster: config.cluster, warnings }, () => `${file ?? 'The configuration'} is valid.`);
}
