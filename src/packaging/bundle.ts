/**
 * An application as it is shipped: one ES module made by esbuild, its source map inline (paths relative
 * to the project, no contents), `fctl` and `fctl/*` external, named by the SHA-256 of its bytes.
 */
export interface ApplicationBundle {
  /** Lowercase hex SHA-256 of the file's bytes; depends on neither machine nor folder. */
  readonly hash: string;
  /** Where the file lies on the client. */
  readonly file: string;
  readonly sizeBytes: number;
  /** Names of the jobs that the application defines, in order. */
  readonly jobs: readonly string[];
  /** Whether the application exports a `main`. */
  readonly hasMain: boolean;
}
