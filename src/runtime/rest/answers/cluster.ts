/** The cluster in the shapes of Flink's REST API. Pure. */
import type { ConfigEntry, DashboardConfig, Overview } from '../../../contract/rest.ts';
import { FCTL_VERSION } from '../../../contract/version.ts';
import type { ClusterView } from '../../jobmanager/views/cluster-view.ts';

/**
 * The Flink whose REST dialect this is. Clients choose by it what they send, and parse it, so it is not our
 * own version; that is what commit and revision say.
 */
const FLINK_DIALECT = '2.3.0';
const FCTL_COMMIT = `fctl-${FCTL_VERSION}`;

export function dashboardConfig({ jars }: ClusterView): DashboardConfig {
  return {
    'refresh-interval': 3000,
    'timezone-name': 'Coordinated Universal Time',
    'timezone-offset': 0,
    'flink-version': FLINK_DIALECT,
    'flink-revision': FCTL_COMMIT,
    features: {
      'web-submit': jars !== null,
      'web-cancel': true,
      'web-rescale': false,
      'web-history': false,
    },
  };
}

export function overview(view: ClusterView): Overview {
  const now = view.overview();
  return {
    taskmanagers: now.taskManagers,
    'slots-total': now.slotsTotal,
    'slots-available': now.slotsAvailable,
    'jobs-running': now.jobsRunning,
    'jobs-finished': now.jobsFinished,
    'jobs-cancelled': now.jobsCancelled,
    'jobs-failed': now.jobsFailed,
    'flink-version': FLINK_DIALECT,
    'flink-commit': FCTL_COMMIT,
  };
}

export function jobManagerConfig({ effectiveConfig }: ClusterView): ConfigEntry[] {
  return Object.entries(effectiveConfig).map(([key, value]) => ({ key, value }));
}
