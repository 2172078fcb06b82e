/** What a JobManager is made of. */
import type { Server } from 'node:http';
import type { JobManagerConfig } from '../../contract/runtime-config.ts';
import type { Redactor, SecretArguments } from '../../contract/secrets.ts';
import type { Logger, Output } from '../logging/logger.ts';
import type { Clock } from '../../contract/clock.ts';
import type { ClusterView } from './views/cluster-view.ts';

/** The http server of REST, listening. RPC joins it by its `upgrade` event. */
export interface RestServer {
  readonly server: Server;
  readonly port: number;
  close(): Promise<void>;
}

export interface JobManagerOptions {
  readonly config: JobManagerConfig;
  /** `null`: the cluster needs none. */
  readonly token: string | null;
  /** Belong into the application's arguments. */
  readonly secretArgs: SecretArguments;
  /** Keeps secrets out of the record. */
  readonly redactor: Redactor;
  /** The built script of `application-main.ts`. */
  readonly applicationScript: string;
  readonly createRestServer: (view: ClusterView) => Promise<RestServer>;
  readonly logger: Logger;
  readonly output: Output;
  readonly clock: Clock;
}
