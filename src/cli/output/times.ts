/** Points in time for people, in their own time zone. In JSON they are milliseconds since 1970, UTC. */

/** `2026-01-31 09:05:00` */
export function localTime(epochMs: number): string {
  const at = new Date(epochMs);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`;
}

const steps = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** `2 h ago`, `in 3 min`, `now`: how far away it is, in its largest unit. */
export function ago(epochMs: number, now: number): string {
  const ms = Math.abs(now - epochMs);
  const step = steps.find(([, length]) => ms >= length);
  if (step === undefined) return 'now';
  const [unit, length] = step;
  const text = `${Math.floor(ms / length)} ${unit}`;
  return epochMs > now ? `in ${text}` : `${text} ago`;
}

/** `2026-01-31 09:05:00 (2 h ago)` */
export const when = (epochMs: number, now = Date.now()): string =>
  `${localTime(epochMs)} (${ago(epochMs, now)})`;
