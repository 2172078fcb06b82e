import { parseClusterId } from '../src/contract/cluster-id.ts';

/** The cluster of most tests. */
export const demo = parseClusterId('demo');
