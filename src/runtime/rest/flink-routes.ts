/**
 * Flink's REST API v1: which request is answered by what. Paths, meanings and words are Flink's. The first
 * route that fits is taken, so words stand before parameters. What is different is said in `docs/rest.md`.
 */
import { applicationRoutes } from './flink/application-routes.ts';
import { jarRoutes } from './flink/jar-routes.ts';
import { jobRoutes } from './flink/job-routes.ts';
import { metricRoutes } from './flink/metric-routes.ts';
import { operationRoutes } from './flink/operation-routes.ts';
import { processRoutes } from './flink/process-routes.ts';
import { vertexRoutes } from './flink/vertex-routes.ts';
import type { Route } from './router.ts';

export const flinkRoutes: readonly Route[] = [
  ...metricRoutes,
  ...processRoutes,
  ...jobRoutes,
  ...operationRoutes,
  ...vertexRoutes,
  ...applicationRoutes,
  ...jarRoutes,
];
