/** What is done elsewhere on the user's behalf, for whoever wants to see it (`--verbose`). */
import { channel } from 'node:diagnostics_channel';

/** A command that was begun on another machine. */
export interface TracedCommand {
  /** The machine. */
  readonly where: string;
  readonly command: string;
  /** Its exit code; rejects when the connection was lost. */
  readonly ended: Promise<number>;
}

const commands = channel('fctl.command');

/** Costs nothing while nobody listens. */
export function traceCommand(command: TracedCommand): void {
  if (commands.hasSubscribers) commands.publish(command);
}

export function onCommand(listener: (command: TracedCommand) => void): void {
  commands.subscribe((message) => listener(message as TracedCommand));
}
