/**
 * The errors that a user may see. Anything else that is thrown is a bug (exit code 1).
 *
 * An error carries every problem found in one run, each with the place it is at.
 */
import { ExitCode } from './exit-codes.ts';

/** One thing that is wrong, where, and what to do about it. `null` where it does not apply. */
export interface Problem {
  /** Stable, kebab-case, for scripts: `unknown-key`, `port-taken`. */
  readonly code: string;
  readonly message: string;
  /** JSON pointer of the failing element: `/taskmanager/slots`, `/providers/standalone/hosts/2`. */
  readonly path: string | null;
  readonly file: string | null;
  /** 1-based. */
  readonly line: number | null;
  /** 1-based. */
  readonly column: number | null;
  readonly hint: string | null;
}

/** Fills the fields that the caller has nothing to say about with `null`. */
export function problem(
  fields: Pick<Problem, 'code' | 'message'> & { [K in keyof Problem]?: Problem[K] | undefined },
): Problem {
  return {
    code: fields.code,
    message: fields.message,
    path: fields.path ?? null,
    file: fields.file ?? null,
    line: fields.line ?? null,
    column: fields.column ?? null,
    hint: fields.hint ?? null,
  };
}

/** Base of the public error classes. `problems` is never empty. */
export abstract class FctlError extends Error {
  abstract readonly exitCode: ExitCode;
  readonly problems: readonly Problem[];

  constructor(problems: Problem | readonly Problem[], options?: ErrorOptions) {
    const list = 'code' in problems ? [problems] : problems;
    super(list.map((p) => p.message).join('\n'), options);
    this.name = new.target.name;
    this.problems = list;
  }
}

/** A wrong command line. */
export class UsageError extends FctlError {
  readonly exitCode = ExitCode.usage;
}

/** The config, or the application that it names, is invalid. Found before anything was touched. */
export class ConfigError extends FctlError {
  readonly exitCode = ExitCode.configInvalid;
}

/** The provider cannot be used: preflight found something. Nothing was changed. */
export class ProviderError extends FctlError {
  readonly exitCode = ExitCode.providerNotUsable;
}

/** A deployment began and did not become healthy. */
export class DeploymentError extends FctlError {
  readonly exitCode = ExitCode.deploymentFailed;
}

/** The request does not fit the state of the cluster. `exitCode` says which way. */
export class ClusterError extends FctlError {
  readonly exitCode: ExitCode;

  constructor(
    exitCode:
      | typeof ExitCode.notFound
      | typeof ExitCode.conflict
      | typeof ExitCode.stateWouldBeLost
      | typeof ExitCode.timedOut
      | typeof ExitCode.hungUp
      | typeof ExitCode.interrupted
      | typeof ExitCode.terminated,
    problems: Problem | readonly Problem[],
    options?: ErrorOptions,
  ) {
    super(problems, options);
    this.exitCode = exitCode;
  }
}
