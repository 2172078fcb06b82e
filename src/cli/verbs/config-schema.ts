/** `fctl config schema`: the JSON Schema of the configuration. */
import { configJsonSchema } from '../../config/json-schema.ts';
import type { Context } from '../context.ts';

export async function run(context: Context): Promise<void> {
  const schema = configJsonSchema();
  context.report.result(schema, () => JSON.stringify(schema, null, 2));
}
