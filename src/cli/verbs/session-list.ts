/** `fctl session list`: the clusters of session mode. */
import type { Context } from '../context.ts';
import { listClusters } from './list.ts';

export const run = (context: Context): Promise<number> => listClusters(context, 'session');
