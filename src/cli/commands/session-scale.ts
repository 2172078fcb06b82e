/** What `fctl session scale` accepts, and what its help says. */
import { clusterArgument } from '../common-options.ts';
import { defineVerb } from '../verb.ts';
import { scaleOptions } from './scale.ts';

export const sessionScale = defineVerb({
  name: 'session scale',
  summary: 'Change the number of TaskManagers of a session that runs, as scale does',
  reach: 'cluster',
  arguments: clusterArgument,
  options: scaleOptions,
  examples: ['fctl session scale demo --taskmanagers 3'],
});
