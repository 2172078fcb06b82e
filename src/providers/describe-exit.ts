/** Exit codes as a shell tells them, for people. */
import { constants } from 'node:os';

const signals = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** @returns `exit code 3`, or `SIGKILL` for 137. */
export function describeExit(code: number): string {
  return signals.get(code - 128) ?? `exit code ${code}`;
}
