/** Answers as YAML: loaded where it is asked for. */
import { stringify } from 'yaml';

export const toYaml = (value: unknown): string => stringify(value).trimEnd();
