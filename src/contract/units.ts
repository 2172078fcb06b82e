/** Durations and sizes: strings in config files, `…Ms` and `…Bytes` numbers everywhere else. */

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

function parse(text: string, units: Readonly<Record<string, number>>): number | null {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*$/.exec(text);
  const factor = match ? units[match[2]!] : undefined;
  return match && factor !== undefined ? Math.round(Number(match[1]) * factor) : null;
}

/** `10s`, `500ms`, `5m`, `1.5h`, `1d` as milliseconds; `null` when it is not a duration. */
export function parseDurationMs(text: string): number | null {
  return parse(text, durationUnits);
}

/** `512MiB`, `1GiB`, `64KB` as bytes; `null` when it is not a size. */
export function parseSizeBytes(text: string): number | null {
  return parse(text, sizeUnits);
}

/** For people: `850ms`, `12.3s`, `4m 05s`, `2h 10m`, `3d 4h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`;
  const two = (major: number, minor: number, majorUnit: string, minorUnit: string) =>
    `${major}${majorUnit} ${String(minor).padStart(2, '0')}${minorUnit}`;
  const seconds = Math.floor(ms / 1000);
  if (ms < 3_600_000) return two(Math.floor(seconds / 60), seconds % 60, 'm', 's');
  const minutes = Math.floor(seconds / 60);
  if (ms < 86_400_000) return two(Math.floor(minutes / 60), minutes % 60, 'h', 'm');
  const hours = Math.floor(minutes / 60);
  return two(Math.floor(hours / 24), hours % 24, 'd', 'h');
}

/** For people, in binary units: `512 B`, `32.0 KiB`, `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}
