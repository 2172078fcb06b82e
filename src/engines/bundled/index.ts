/** The `bundled` engine: our own JobManager and TaskManager. */
import { FCTL_VERSION } from '../../contract/version.ts';
import type { Engine } from '../engine.ts';
import { clusterApi } from './cluster-api.ts';
import { clusterSpec } from './cluster-spec.ts';
import { explain } from './explain.ts';

export const bundledEngine: Engine = {
  name: 'bundled',
  version: FCTL_VERSION,
  state: null,
  clusterSpec,
  explain,
  cluster: clusterApi,
};
