/** What a real Flink answered, recorded: exchanges by phase and name, and the fields its clients need. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'recorded');
const version = '2.3.0';

export interface Recording {
  readonly phase: string;
  readonly name: string;
  /** `GET /jobs/:jobid` */
  readonly endpoint: string;
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
}

export const recordings: readonly Recording[] = readdirSync(join(folder, version)).flatMap(
  (phase) =>
    readdirSync(join(folder, version, phase)).map((file) => ({
      ...(JSON.parse(readFileSync(join(folder, version, phase, file), 'utf8')) as Recording),
      name: file.replace(/\.json$/, ''),
    })),
);

/** @throws Error when there is none of that name. */
export function recording(phase: string, name: string): Recording {
  const found = recordings.find((r) => r.phase === phase && r.name === name);
  if (!found) throw new Error(`there is no recording ${phase}/${name}`);
  return found;
}

/** Bodies of all successful answers of an endpoint. */
export const recordedBodies = (endpoint: string): unknown[] =>
  recordings
    .filter((r) => r.endpoint === endpoint && r.response.status === 200)
    .map((r) => r.response.body);

const clientFields = JSON.parse(readFileSync(join(folder, 'client-fields.json'), 'utf8')) as Record<
  string,
  { readonly fields: Readonly<Record<string, string>> }
>;

/** Paths of the fields that Flink's own client cannot do without: `/jobs[]/jid`. */
export const requiredFields = (endpoint: string): string[] => fieldsThat(endpoint, 'REQUIRED');

/** Paths of those that it can do without, and with them without what is in them. */
export const optionalFields = (endpoint: string): string[] => fieldsThat(endpoint, 'optional');

function fieldsThat(endpoint: string, are: string): string[] {
  const { fields } = clientFields[endpoint] ?? { fields: {} };
  return Object.keys(fields).filter((path) => fields[path]!.startsWith(are));
}

/** Every endpoint that Flink declares, as `GET /jobs/:jobid`, and two more that it answers. */
export const flinkEndpoints: readonly string[] = (
  JSON.parse(readFileSync(join(folder, 'endpoints.json'), 'utf8')) as Record<
    string,
    readonly { readonly endpoint: string }[]
  >
)[version]!.map(({ endpoint }) => endpoint);
