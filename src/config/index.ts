/** What a config file in TypeScript imports as `fctl/config`. */
import type { JsonObject } from '../contract/json.ts';

interface Resources {
  cpu?: number;
  /** `512MiB` */
  memory?: string;
}

/** The configuration as users write it. Every key is described in docs/configuration.md. */
export interface FctlConfig {
  cluster: string;
  mode?: 'application' | 'per-job' | 'session';
  provider?: 'local' | 'standalone' | 'docker' | 'kubernetes' | 'yarn';
  engine?: 'bundled' | 'flink';
  application?: { entry: string; args?: JsonObject; parallelism?: number };
  jobmanager?: { replicas?: 1; resources?: Resources; rest?: { port?: number; bind?: string } };
  taskmanager?: {
    replicas?: number;
    slots?: number;
    resources?: Resources;
    registrationTimeout?: string;
    slotRequestTimeout?: string;
  };
  heartbeat?: { interval?: string; timeout?: string };
  network?: { bufferTimeout?: string };
  logging?: { level?: 'debug' | 'info' | 'warn' | 'error'; maxSize?: string; maxFiles?: number };
  security?: { auth?: 'token' | 'none' };
  retention?: string;
  providers?: { local?: { dir?: string } };
  environments?: Record<string, JsonObject>;
}

/** For completion and type checks in `fctl.config.ts`. */
export function defineConfig(config: FctlConfig): FctlConfig {
  return config;
}
