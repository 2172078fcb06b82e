/** The `bundled` engine: our own JobManager and TaskManager. */
import { FCTL_VERSION } from '../../contract/version.ts';
import type { Engine } from '../engine.ts';
import { clusterSpec } from './cluster-spec.ts';

export const bundledEngine: Engine = {
  name: 'bundled',
  version: FCTL_VERSION,
  savepoints: null,
  clusterSpec,
};
